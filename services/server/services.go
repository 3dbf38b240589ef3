package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/services/api"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
	"hubledger/streams"
)

// allServices is the list of services, in the order in which they start. A new
// service is a folder and a line here.
func (n *Node) allServices(ctx context.Context) ([]service.Service, error) {
	w, err := n.wire(ctx)
	if err != nil {
		return nil, err
	}
	n.operator = apiService(w.operator)
	list := []service.Service{
		n.auth.Service(),
		n.registry.Service(),
		apiService(w.api),
		{Name: "cleanup", ReadModels: []*projections.Projection{&images.Projection, &catalog.Projection},
			Jobs: []service.Job{{Name: "apply cleanup rules", Every: n.CleanupInterval, Run: w.cleaner.RunAll}}},
	}
	n.openFor(list)
	return list, nil
}

// wired is what the services are made of and only they need.
type wired struct {
	api, operator *api.API
	cleaner       *cleanup.Cleaner
}

// wire makes the parts of services that know each other. Nothing runs yet.
func (n *Node) wire(ctx context.Context) (w wired, err error) {
	secrets, err := streams.OpenSecrets(ctx, n.log, n.SecretsKeyFile)
	if err != nil && !errors.Is(err, events.ErrReadOnly) {
		return w, err
	}
	log := countedLog{n.log, n.metrics}
	people, content, entries := n.newReadModel(&accounts.Projection), n.newReadModel(&images.Projection), n.newReadModel(&catalog.Projection)
	n.models = []*readModel{people, content, entries, n.newReadModel(&journal.Projection)}
	who := accounts.Reader{DB: people}
	n.rights = access.New(access.Config{Read: who, View: people, Log: stillLog{n, people}, Logger: n.Logger})
	people.onCommit = n.rights.Committed
	c := auth.Config{Log: log, Read: who, View: people, Rights: n.rights, Activity: n.activity,
		AdminPassword: n.AdminPassword, PasswordFile: filepath.Join(n.Data, "admin-password"), Logger: n.Logger}
	if secrets != nil {
		c.Secrets = secrets
	}
	if n.Public != nil {
		c.PublicURL = n.Public.String()
	}
	n.auth = auth.New(c)
	n.registry = registry.New(registry.Config{
		Log: log, View: content, Read: images.Reader{DB: content}, Blobs: n.blobs, Leases: n.leases,
		Access: n.auth, Rights: n.rights, Quotas: quotas{who}, PullLimits: n.PullLimits, DefaultVisibility: n.DefaultVisibility,
		Logger: n.Logger, LeaseTerm: n.LeaseTerm, UndeleteWindow: n.UndeleteWindow, GCInterval: n.GCInterval,
	})
	content.onCommit = n.registry.Committed
	found := catalog.Reader{DB: unprepared{entries}, Dialect: n.dialect()}
	w.cleaner = cleanup.New(cleanup.Config{Log: log, View: content, Read: n.registry.Read, Pulls: lastPulls{found, recentPulls{n.leases}},
		Logger: n.Logger, UndeleteWindow: n.UndeleteWindow, LeaseTerm: n.LeaseTerm})
	return w, n.wireAPI(&w, log, who, found)
}

// wireAPI makes the API twice: for everybody, and for whoever may open the
// admin socket.
func (n *Node) wireAPI(w *wired, log countedLog, who accounts.Reader, found catalog.Reader) (err error) {
	c := api.Config{Auth: n.auth, Passwords: n.auth, Tokens: n.auth, Persons: n.auth, Rights: n.rights, Log: log,
		Settle: settler{n}, Accounts: who, Catalog: found, Images: n.registry.Read, Registry: n.registry,
		Refusals: []error{registry.ErrTooLate, registry.ErrSwept, registry.ErrNothingDeleted},
		Cleaner:  w.cleaner, Answers: n.activity, Used: n.activity, Recent: recentPulls{n.leases}, Logger: n.Logger,
		DefaultVisibility: n.DefaultVisibility, Version: n.Version, UndeleteWindow: n.UndeleteWindow}
	if w.api, err = api.New(c); err != nil {
		return err
	}
	c.Auth = api.As(access.Operates)
	w.operator, err = api.New(c)
	return err
}

// openFor keeps the read models that this node needs: the accounts, by which
// every request is decided, the journal, by which the log is guarded, and those
// of the services that run here.
func (n *Node) openFor(list []service.Service) {
	needed := []*projections.Projection{&accounts.Projection, &journal.Projection}
	for _, s := range list {
		if n.runs(s.Name) {
			needed = append(needed, s.ReadModels...)
		}
	}
	n.models = slices.DeleteFunc(n.models, func(m *readModel) bool { return !slices.Contains(needed, m.projection) })
}

// A stillLog says how long the log is. While it is read-only it does not
// change, so that what was read of it stays as fresh as it is.
type stillLog struct {
	node  *Node
	model *readModel
}

func (l stillLog) LastSeq(ctx context.Context) (uint64, error) {
	if l.node.log.ReadOnly() != nil {
		return l.model.Position(), nil
	}
	return l.node.log.LastSeq(ctx)
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

// A settler waits for the read models of the services that run here.
type settler struct{ node *Node }

func (s settler) Settle(ctx context.Context, seq uint64) error {
	for _, m := range s.node.models {
		if m.projection == &journal.Projection {
			continue // people read it only as the log
		}
		if err := m.Wait(ctx, seq); err != nil {
			return fmt.Errorf("event %d is in the log, but not visible yet: %w", seq, err)
		}
	}
	return nil
}
