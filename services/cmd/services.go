package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	hubapi "hubledger/services/api"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/process"
	"hubledger/services/registry"
	"hubledger/services/registry/pulls"
	"hubledger/streams"
	"hubledger/streams/messages"
)

// openServices makes the services on the stores. Nothing runs yet.
func (h *hub) openServices(ctx context.Context) error {
	secrets, err := streams.OpenSecrets(ctx, h.log, h.SecretsKeyFile)
	if err != nil && !errors.Is(err, events.ErrReadOnly) {
		return err
	}
	log, people := countedLog{h.log, h.metrics}, h.view(accounts.Projection.Name)
	who := accounts.Reader{DB: people}
	h.rights = access.New(access.Config{Read: who, View: people, Log: stillLog{h, people}, Logger: h.Logger})
	people.onCommit = h.rights.Committed
	c := auth.Config{Log: log, Read: who, View: people, Rights: h.rights, Activity: h.activity,
		AdminPassword: h.AdminPassword, PasswordFile: filepath.Join(h.Data, "admin-password"), Logger: h.Logger}
	if secrets != nil {
		c.Secrets = secrets
	}
	if h.Public != nil {
		c.PublicURL = h.Public.String()
	}
	h.auth = auth.New(c)
	view := h.view(images.Projection.Name)
	h.registry = registry.New(registry.Config{
		Log: log, View: view, Read: images.Reader{DB: view}, Blobs: h.blobs, Leases: h.leases, Pulls: h.pulls,
		Access: h.auth, Rights: h.rights, Quotas: quotas{who}, PullLimits: h.PullLimits, DefaultVisibility: h.DefaultVisibility,
		Logger: h.Logger, LeaseTerm: h.LeaseTerm, UndeleteWindow: h.UndeleteWindow, Metrics: h.metrics.registry,
	})
	view.onCommit = h.registry.Committed
	if err := h.openManagers(ctx, log); err != nil {
		return err
	}
	return h.openAPI(log, who)
}

// openManagers makes the process managers.
func (h *hub) openManagers(ctx context.Context, log countedLog) error {
	c := process.Config{Store: h.ops, Log: log, Logger: h.Logger,
		Subscribe: messages.Source{Log: h.log, Logger: h.Logger}.Subscriber}
	for _, m := range []process.Manager{pulls.Manager(h.pulls), h.auth.ErasedSecrets()} {
		r, err := process.New(ctx, c, m)
		if err != nil {
			return err
		}
		h.managers = append(h.managers, r)
	}
	return nil
}

// openAPI makes the hub's API twice: for everybody, and for whoever may open
// the admin socket.
func (h *hub) openAPI(log countedLog, who accounts.Reader) (err error) {
	view, entries := h.view(images.Projection.Name), h.view(catalog.Projection.Name)
	found := catalog.Reader{DB: fresh{entries}, Dialect: entries.now().store.Dialect()}
	h.cleaner = cleanup.New(cleanup.Config{Log: log, View: view, Read: h.registry.Read, Pulls: lastPulls{found, recentPulls{h.pulls}},
		Logger: h.Logger, UndeleteWindow: h.UndeleteWindow, LeaseTerm: h.LeaseTerm})
	c := hubapi.Config{Auth: h.auth, Passwords: h.auth, Tokens: h.auth, Persons: h.auth, Rights: h.rights, Log: log,
		Settle: settler{h}, Accounts: who, Catalog: found, Images: h.registry.Read, Registry: h.registry,
		Refusals: []error{registry.ErrTooLate, registry.ErrSwept, registry.ErrNothingDeleted},
		Cleaner:  h.cleaner, Answers: h.activity, Used: h.activity, Recent: recentPulls{h.pulls}, Logger: h.Logger,
		DefaultVisibility: h.DefaultVisibility, Version: buildInfo().Version, UndeleteWindow: h.UndeleteWindow}
	if h.api, err = hubapi.New(c); err != nil {
		return err
	}
	c.Auth = hubapi.As(access.Operates)
	h.operated, err = hubapi.New(c)
	return err
}

// A stillLog says how long the log is. While it is read-only it does not
// change, so that what was read of it stays as fresh as it is.
type stillLog struct {
	hub  *hub
	view *view
}

func (l stillLog) LastSeq(ctx context.Context) (uint64, error) {
	if l.hub.log.ReadOnly() != nil {
		return l.view.Position(), nil
	}
	return l.hub.log.LastSeq(ctx)
}

// quotas are those that the accounts know.
type quotas struct{ accounts.Reader }

func (q quotas) Quota(ctx context.Context, name string) (bytes, images int64, err error) {
	ns, err := q.Namespace(ctx, name)
	if errors.Is(err, accounts.ErrNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	return ns.QuotaBytes, ns.QuotaImages, nil
}

// A settler waits for every read model that answers people.
type settler struct{ hub *hub }

func (s settler) Settle(ctx context.Context, seq uint64) error {
	for _, name := range []string{accounts.Projection.Name, images.Projection.Name, catalog.Projection.Name} {
		if err := s.hub.view(name).Wait(ctx, seq); err != nil {
			return fmt.Errorf("event %d is in the log, but not visible yet: %w", seq, err)
		}
	}
	return nil
}
