package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/catalog"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/schemas/asyncapi"
	"hubledger/services/api"
	"hubledger/services/api/layerfiles"
	"hubledger/services/api/taglist"
	"hubledger/services/audit"
	"hubledger/services/auth"
	"hubledger/services/builder"
	"hubledger/services/deployer"
	"hubledger/services/hostagent"
	"hubledger/services/internal/access"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/asof/people"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
	"hubledger/services/internal/session"
	"hubledger/services/registry"
	"hubledger/services/rules"
	"hubledger/services/server/backup"
	"hubledger/services/server/machinery"
	"hubledger/services/server/meter"
	"hubledger/services/server/readmodel"
	"hubledger/services/server/system"
	"hubledger/services/sources"
	"hubledger/services/sources/hoststatus"
	"hubledger/services/web"
	"hubledger/services/web/frame"
	"hubledger/streams"
)

// allServices is the list of services, in the order in which they start. A new
// service is a folder and a line here. Nothing is opened and nothing runs yet. makeAuth
// has been called.
func (n *Node) allServices() []service.Service {
	s := n.share()
	git := n.makeSources(s)
	n.builder = n.makeBuilder(s, git)
	n.deployer = n.makeDeployer(s)
	n.hostagent = n.makeHosts(s)
	n.audit = audit.New(audit.Config{API: s.api.Sibling(), Log: n.EventLog(), Signing: n.signing(), Readers: n.readers(s), AsyncAPI: func() ([]byte, error) { return asyncapi.Document(cmp.Or(n.Version, "dev")) }, Witnesses: n.Witnesses})
	list := []service.Service{
		n.auth.Service(),
		n.registry.Service(),
		api.New(n.apiConfig(s)).Service(),
		git.Service(),
		n.makeRules(s, git).Service(),
		n.builder.Service(),
		n.deployer.Service(),
		n.hostagent.Service(),
		n.audit.Service(),
		{Name: "cleanup", ReadModels: []*projections.Projection{&images.Projection, &catalog.Projection},
			Jobs: []service.Job{{Name: "apply cleanup rules", Every: n.CleanupInterval, Run: s.cleaner.RunAll}}},
		(&backup.Keeper{Dir: n.BackupDir, Every: n.BackupInterval, Keep: n.BackupKeep, Config: n.backupConfig, Logger: n.Logger}).Service(),
	}
	list = append(list, system.New(s.api.Sibling(), asSystem{n}))
	return append(list, n.makeWeb(s, list))
}

// shared is what several services use.
type shared struct {
	people    accounts.Reader
	limits    *quotas
	catalog   catalog.Reader
	tagLists  *taglist.Keeper
	cleaner   *cleanup.Cleaner
	endpoints endpoint.Config
	api       *openapi.API // of the API; its Sibling is that of another service
}

// makeWeb makes the user interface, whose pages ask these services for what they show.
func (n *Node) makeWeb(s shared, ask []service.Service) service.Service {
	router, err := service.NewRouter(ask, endpoint.NotServed)
	if err != nil {
		panic(fmt.Errorf("the API that pages ask: %w", err)) // the node's own router would refuse it, too
	}
	pages := web.New(web.Config{Sessions: n.auth, Config: frame.Config{API: router, Endpoints: s.endpoints, AsOf: n.asOf, Notice: n.notice, PictureHosts: n.ReadmeImageHosts, Logger: n.Logger}})
	for _, of := range ask {
		pages.ReadModels = append(pages.ReadModels, of.ReadModels...)
	}
	return pages
}

// asOf is the sequence of the last event that every read model has committed.
func (n *Node) asOf() uint64 {
	var least uint64
	for k, m := range n.models.Models() {
		if at := m.Position(); k == 0 || at < least {
			least = at
		}
	}
	return least
}

// notice tells everybody that something is wrong with the hub, and requests from this
// machine why; "" when nothing is.
func (n *Node) notice(r *http.Request) string {
	if n.log.ReadOnly() != nil {
		return n.readOnlyText(r)
	}
	return ""
}

// meteredLog is the log, with appends counted and charged.
func (n *Node) meteredLog() meter.Log { return n.metrics.Log(n.log) }

// makeAuth makes the read models, and what knows people and their rights. Nothing is
// opened and nothing runs yet.
func (n *Node) makeAuth() {
	n.models = readmodel.New(readmodel.Config{Data: n.Data, PostgresURL: n.PostgresURL, Log: n.log,
		Logger: n.Logger, Progress: n.Progress})
	people := n.models.Of(&accounts.Projection)
	who := accounts.Reader{DB: people}
	n.rights = access.New(access.Config{Read: who, View: people, Log: logEnd{n, people}, Logger: n.Logger})
	limits := &quotas{read: who}
	people.OnCommit = func(c projections.Commit, parked bool) {
		n.rights.Committed(c, parked)
		limits.committed(c)
	}
	n.shared.people, n.shared.limits = who, limits
	n.auth = auth.New(n.authConfig(who, people))
}

// share makes the other parts that several services use.
func (n *Node) share() shared {
	content := n.models.Of(&images.Projection)
	n.registry = registry.New(n.registryConfig(n.shared.limits, content))
	lists := taglist.NewKeeper(n.registry.Images)
	content.OnCommit = func(c projections.Commit, parked bool) {
		n.registry.Committed(c, parked)
		lists.Committed(c)
		n.builder.ImagesCommitted(c)
	}
	entries := catalog.Reader{DB: readmodel.Unprepared{Model: n.models.Of(&catalog.Projection)}, Dialect: n.dialect()}
	endpoints := endpoint.Config{Auth: session.Reading{Auth: n.auth}, Rights: n.rights, KeptAnswers: n.activity, ReadModels: n,
		Leaving: n.leaving, Logger: n.Logger, Failures: []failure.Entry{{Err: registry.ErrTooLate, Status: http.StatusConflict},
			{Err: registry.ErrSwept, Status: http.StatusConflict}, {Err: builder.ErrNoMachines, Status: http.StatusConflict}, {Err: registry.ErrNothingDeleted, Status: http.StatusConflict}}}
	n.shared = shared{people: n.shared.people, limits: n.shared.limits, catalog: entries, tagLists: lists, endpoints: endpoints, api: openapi.New(endpoint.New(endpoints), cmp.Or(n.Version, "dev")),
		cleaner: cleanup.New(cleanup.Config{Log: n.meteredLog(), View: content, Read: n.registry.Images, Pulls: allPulls{entries, recentPulls{n.stores.Pulls}},
			Logger: n.Logger, UndeleteWindow: n.UndeleteWindow, LeaseTerm: n.LeaseTerm})}
	return n.shared
}

func (n *Node) authConfig(who accounts.Reader, people *readmodel.Model) auth.Config {
	c := auth.Config{Log: n.meteredLog(), Read: who, View: people, Rights: n.rights, Activity: n.activity,
		AdminPassword: n.AdminPassword, PasswordFile: filepath.Join(n.Data, "admin-password"), Logger: n.Logger}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	if n.Public != nil {
		c.PublicURL = n.Public.String()
	}
	return c
}

func (n *Node) makeSources(s shared) *sources.Sources {
	model := n.models.Of(&builds.Projection)
	c := sources.Config{Log: n.meteredLog(), API: s.api.Sibling(), Read: builds.Reader{DB: model}, View: model, Store: n.operations,
		Git: gitremote.NewClient(n.Egress), Hosts: hoststatus.NewClient(n.Egress), Every: n.SweepInterval, URL: n.URL, Logger: n.Logger}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	if n.bodies != nil {
		c.Bodies = n.bodies
	}
	return sources.New(c)
}

func (n *Node) makeRules(s shared, git *sources.Sources) *rules.Rules {
	model := n.models.Of(&builds.Projection)
	c := rules.Config{Log: n.meteredLog(), API: s.api.Sibling(), Read: builds.Reader{DB: model}, View: model, Rights: n.rights, UndeleteWindow: n.UndeleteWindow, Logger: n.Logger,
		Store: n.operations, URL: n.URL, Look: n.looker(git)}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	return rules.New(c)
}

func (n *Node) makeDeployer(s shared) *deployer.Deployer {
	model := n.models.Of(&deploys.Projection)
	c := deployer.Config{Log: n.meteredLog(), API: s.api.Sibling(), Read: deploys.Reader{DB: model}, View: model, Builds: builds.Reader{DB: n.models.Of(&builds.Projection)},
		Images: n.registry.Images, Tags: n.registry, Rights: n.rights, People: s.people, Client: n.Egress.NewClient(), Generation: n.log.Generation,
		Hosts: n.hosts, Allow: n.ComposeAllow, Store: n.operations, URL: strings.TrimSuffix(n.URL, "/"), Logger: n.Logger}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	d := deployer.New(c)
	model.OnCommit = func(c projections.Commit, _ bool) { d.Committed(c) }
	return d
}

// Planner says what hosts are to run, and hears what they see.
func (n *Node) Planner() hosting.Planner { return n.deployer }

// HostAgent is the service that hosts talk to.
func (n *Node) HostAgent() *hostagent.Hosts { return n.hostagent }

// makeHosts makes the service of hosts. The deployer says what they are to run, where it is run.
func (n *Node) makeHosts(s shared) *hostagent.Hosts {
	c := hostagent.Config{Log: n.meteredLog(), API: s.api.Sibling(), People: s.people, Planner: hostagent.Empty{Generation: n.log.Generation},
		Token: n.auth.HostToken, URL: strings.TrimSuffix(n.URL, "/"), Logger: n.Logger}
	if n.Config.runs("deployer") {
		c.Planner, c.Applications = n.deployer, n.deployer
	}
	if n.NATSListen != "" && n.log.ReadOnly() == nil {
		c.Machines = &n.machines
	}
	return hostagent.New(c)
}

// readers are the users that read the log with NATS clients.
func (n *Node) readers(s shared) audit.Readers {
	r := audit.Readers{Log: n.meteredLog(), People: s.people, Stream: streams.StreamName}
	if n.NATSListen != "" && n.log.ReadOnly() == nil {
		r.Machines = &n.machines
	}
	return r
}

// listenForMachines lets builders, hosts and readers of the log connect to this node.
func (n *Node) listenForMachines() error {
	if n.NATSListen == "" {
		return nil
	}
	err := n.machines.Listen(machinery.Config{Address: n.NATSListen, Cert: n.MachineCert, Key: n.MachineKey, People: n.shared.people, Log: n.log, Logger: n.Logger,
		Answer: map[string]func(context.Context, *accounts.Machine, string, []byte) []byte{events.MachineBuilder: n.builder.Answer, events.MachineHost: n.hostagent.Answer}})
	if err != nil {
		return err
	}
	n.background(func() {
		<-n.ending.Done()
		n.machines.Close()
	})
	return nil
}

func (n *Node) registryConfig(limits *quotas, content *readmodel.Model) registry.Config {
	c := registry.Config{Log: n.meteredLog(), View: content, Images: images.Reader{DB: content}, Leases: n.stores.Leases, Pulls: n.stores.Pulls, Times: n.times(),
		Access: n.auth, Rights: n.rights, Quotas: limits, PullLimits: n.PullLimits, DefaultVisibility: n.DefaultVisibility,
		Logger: n.Logger, LeaseTerm: n.LeaseTerm, UndeleteWindow: n.UndeleteWindow, GCInterval: n.GCInterval}
	if n.stores.Blobs != nil {
		c.Blobs = n.stores.Blobs
	}
	return c
}

func (n *Node) apiConfig(s shared) api.Config {
	return api.Config{API: s.api, Passwords: n.auth, Tokens: n.auth, Persons: n.auth, Rights: n.rights, Log: n.meteredLog(),
		Accounts: s.people, Catalog: s.catalog, Images: n.registry.Images, Registry: n.registry,
		Builds: builds.Reader{DB: n.models.Of(&builds.Projection)}, TagLists: s.tagLists, Times: n.times(), Past: n.past(s.people),
		LayerFiles: layerfiles.New(layerfiles.Config{Dir: filepath.Join(n.Data, "layer-files"), Open: n.registry.OpenBlob, Room: n.hasSpace, Logger: n.Logger}),
		Cleaner:    s.cleaner, Used: n.activity, RecentPulls: recentPulls{n.stores.Pulls}, Logger: n.Logger,
		DefaultVisibility: n.DefaultVisibility, UndeleteWindow: n.UndeleteWindow}
}

// times finds the event that was the last of the log at some time.
func (n *Node) times() asof.Log {
	found, content := n.models.Of(&trail.Projection), n.models.Of(&images.Projection)
	return asof.Log{End: logEnd{n, found}, Times: trail.Reader{DB: found}, Views: []command.Follower{found, content}}
}

// past makes accounts as they were, at most two of them at the same time.
func (n *Node) past(now accounts.Reader) people.Past {
	found, all := n.models.Of(&trail.Projection), n.models.Of(&journal.Projection)
	times := asof.Log{End: logEnd{n, found}, Times: trail.Reader{DB: found}, Views: []command.Follower{found, all}}
	return people.Past{Journal: all, Accounts: now, Times: times, Places: make(chan struct{}, 2)}
}

// A logEnd reports the last sequence of the log, by which the freshness of a read
// model is judged. A read-only log does not change, so then the read model's own
// position counts as the end.
type logEnd struct {
	node  *Node
	model *readmodel.Model
}

func (l logEnd) LastSeq(ctx context.Context) (uint64, error) {
	if l.node.log.ReadOnly() != nil {
		return l.model.Position(), nil
	}
	return l.node.log.LastSeq(ctx)
}
