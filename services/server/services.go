package server

import (
	"context"
	"errors"
	"path/filepath"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
)

// allServices is the list of services, in the order in which they start. A new
// service is a folder and a line here. Nothing is opened and nothing runs yet.
func (n *Node) allServices() ([]service.Service, error) {
	content, found, err := n.wire()
	if err != nil {
		return nil, err
	}
	cleaner := cleanup.New(cleanup.Config{Log: n.counted(), View: content, Read: n.registry.Images, Pulls: lastPulls{found, recentPulls{n.leases}},
		Logger: n.Logger, UndeleteWindow: n.UndeleteWindow, LeaseTerm: n.LeaseTerm})
	everybody, operator, err := n.apis(cleaner, found)
	if err != nil {
		return nil, err
	}
	n.operator = operator.Service()
	return []service.Service{
		n.auth.Service(),
		n.registry.Service(),
		everybody.Service(),
		{Name: "cleanup", ReadModels: []*projections.Projection{&images.Projection, &catalog.Projection},
			Jobs: []service.Job{{Name: "apply cleanup rules", Every: n.CleanupInterval, Run: cleaner.RunAll}}},
	}, nil
}

// counted is the log, with what is appended counted.
func (n *Node) counted() countedLog { return countedLog{n.log, n.metrics} }

// wire makes the parts that several services share.
func (n *Node) wire() (content *readModel, found catalog.Reader, err error) {
	people := n.readModel(&accounts.Projection)
	who := accounts.Reader{DB: people}
	n.rights = access.New(access.Config{Read: who, View: people, Log: stillLog{n, people}, Logger: n.Logger})
	people.onCommit = n.rights.Committed
	c := auth.Config{Log: n.counted(), Read: who, View: people, Rights: n.rights, Activity: n.activity,
		AdminPassword: n.AdminPassword, PasswordFile: filepath.Join(n.Data, "admin-password"), Logger: n.Logger}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	if n.Public != nil {
		c.PublicURL = n.Public.String()
	}
	n.auth = auth.New(c)
	content = n.readModel(&images.Projection)
	rc := registry.Config{Log: n.counted(), View: content, Images: images.Reader{DB: content}, Leases: n.leases,
		Access: n.auth, Rights: n.rights, Quotas: quotas{who}, PullLimits: n.PullLimits, DefaultVisibility: n.DefaultVisibility,
		Logger: n.Logger, LeaseTerm: n.LeaseTerm, UndeleteWindow: n.UndeleteWindow, GCInterval: n.GCInterval}
	if n.blobs != nil {
		rc.Blobs = n.blobs
	}
	n.registry = registry.New(rc)
	content.onCommit = n.registry.Committed
	return content, catalog.Reader{DB: unprepared{n.readModel(&catalog.Projection)}, Dialect: n.dialect()}, nil
}

// apis makes the API twice: for everybody, and for whoever may open the admin socket.
func (n *Node) apis(cleaner *cleanup.Cleaner, found catalog.Reader) (everybody, operator *api.API, err error) {
	c := api.Config{Auth: n.auth, Passwords: n.auth, Tokens: n.auth, Persons: n.auth, Rights: n.rights, Log: n.counted(),
		ReadModels: everyReadModel{n}, Accounts: accounts.Reader{DB: n.readModel(&accounts.Projection)}, Catalog: found, Images: n.registry.Images, Registry: n.registry,
		Conflicts: []error{registry.ErrTooLate, registry.ErrSwept, registry.ErrNothingDeleted},
		Cleaner:   cleaner, KeptAnswers: n.activity, Used: n.activity, RecentPulls: recentPulls{n.leases}, Logger: n.Logger,
		DefaultVisibility: n.DefaultVisibility, Version: n.Version, UndeleteWindow: n.UndeleteWindow}
	if everybody, err = api.New(c); err != nil {
		return nil, nil, err
	}
	c.Auth = api.As(access.Operates)
	operator, err = api.New(c)
	return everybody, operator, err
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

// everyReadModel is those of the services that run here.
type everyReadModel struct{ node *Node }

func (m everyReadModel) Wait(ctx context.Context, seq uint64) error { return m.node.wait(ctx, seq) }
