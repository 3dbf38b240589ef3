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
	content, found, err := n.makeShared()
	if err != nil {
		return nil, err
	}
	cleaner := cleanup.New(cleanup.Config{Log: n.meteredLog(), View: content, Read: n.registry.Images, Pulls: lastPulls{found, recentPulls{n.pulls}},
		Logger: n.Logger, UndeleteWindow: n.UndeleteWindow, LeaseTerm: n.LeaseTerm})
	everybody, operator, err := n.makeAPIs(cleaner, found)
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

// meteredLog is the log, with appends counted in the metrics.
func (n *Node) meteredLog() meteredLog { return meteredLog{n.log, n.metrics} }

// makeShared makes the parts that several services share.
func (n *Node) makeShared() (content *readModel, found catalog.Reader, err error) {
	people := n.readModel(&accounts.Projection)
	who := accounts.Reader{DB: people}
	n.rights = access.New(access.Config{Read: who, View: people, Log: logEnd{n, people}, Logger: n.Logger})
	people.onCommit = n.rights.Committed
	c := auth.Config{Log: n.meteredLog(), Read: who, View: people, Rights: n.rights, Activity: n.activity,
		AdminPassword: n.AdminPassword, PasswordFile: filepath.Join(n.Data, "admin-password"), Logger: n.Logger}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	if n.Public != nil {
		c.PublicURL = n.Public.String()
	}
	n.auth = auth.New(c)
	content = n.readModel(&images.Projection)
	rc := registry.Config{Log: n.meteredLog(), View: content, Images: images.Reader{DB: content}, Leases: n.leases, Pulls: n.pulls,
		Access: n.auth, Rights: n.rights, Quotas: quotas{who}, PullLimits: n.PullLimits, DefaultVisibility: n.DefaultVisibility,
		Logger: n.Logger, LeaseTerm: n.LeaseTerm, UndeleteWindow: n.UndeleteWindow, GCInterval: n.GCInterval}
	if n.blobs != nil {
		rc.Blobs = n.blobs
	}
	n.registry = registry.New(rc)
	content.onCommit = n.registry.Committed
	return content, catalog.Reader{DB: unprepared{n.readModel(&catalog.Projection)}, Dialect: n.dialect()}, nil
}

// makeAPIs makes the API twice: for everybody, and for the operator on the admin
// socket.
func (n *Node) makeAPIs(cleaner *cleanup.Cleaner, found catalog.Reader) (everybody, operator *api.API, err error) {
	c := api.Config{Auth: n.auth, Passwords: n.auth, Tokens: n.auth, Persons: n.auth, Rights: n.rights, Log: n.meteredLog(),
		ReadModels: nodeReadModels{n}, Accounts: accounts.Reader{DB: n.readModel(&accounts.Projection)}, Catalog: found, Images: n.registry.Images, Registry: n.registry,
		Conflicts: []error{registry.ErrTooLate, registry.ErrSwept, registry.ErrNothingDeleted},
		Cleaner:   cleaner, KeptAnswers: n.activity, Used: n.activity, RecentPulls: recentPulls{n.pulls}, Logger: n.Logger,
		DefaultVisibility: n.DefaultVisibility, Version: n.Version, UndeleteWindow: n.UndeleteWindow}
	if everybody, err = api.New(c); err != nil {
		return nil, nil, err
	}
	c.Auth = api.As(access.Operates)
	operator, err = api.New(c)
	return everybody, operator, err
}

// A logEnd reports the last sequence of the log, by which the freshness of a read
// model is judged. A read-only log does not change, so then the read model's own
// position counts as the end.
type logEnd struct {
	node  *Node
	model *readModel
}

func (l logEnd) LastSeq(ctx context.Context) (uint64, error) {
	if l.node.log.ReadOnly() != nil {
		return l.model.Position(), nil
	}
	return l.node.log.LastSeq(ctx)
}

// quotas reads the quotas of namespaces. A namespace that does not exist has none.
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

// nodeReadModels waits until all read models of this node have committed an event.
type nodeReadModels struct{ node *Node }

func (s nodeReadModels) Wait(ctx context.Context, seq uint64) error { return s.node.wait(ctx, seq) }
