package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/catalog"
	"hubledger/services/builder"
	"hubledger/services/builder/drivers"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/rig"
	"hubledger/services/builder/sealedlog"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/repository"
	"hubledger/services/sources"
	"hubledger/streams/buildlog"
)

// Builds says whether and how this node builds.
type Builds struct {
	// Tools are the programs that it needs.
	Tools drivers.Tools
	// Hub is where this node is reached from this machine.
	Hub *url.URL
	// Registry is how builds call it, in names of images.
	Registry string
	// Places is how many builds run at once.
	Places int
}

// buildLog is the log of builds as the builder knows it.
type buildLog struct{ *buildlog.Store }

func (l buildLog) Read(ctx context.Context, build string, after uint64, max int) ([]sealedlog.Chunk, error) {
	chunks, err := l.Store.Read(ctx, build, after, max)
	list := make([]sealedlog.Chunk, len(chunks))
	for k, c := range chunks {
		list[k] = sealedlog.Chunk(c)
	}
	return list, err
}

// localBuilder is what the builder of this node is called. Its log has no other node.
const localBuilder = "local"

func (n *Node) makeBuilder(s shared, git *sources.Sources) *builder.Builder {
	model := n.models.Of(&builds.Projection)
	read := builds.Reader{DB: model}
	c := builder.Config{Events: n.meteredLog(), API: s.api.Sibling(), Read: read, View: model, Images: n.registry, Readmes: readmes{s.catalog, n}, URL: strings.TrimSuffix(n.URL, "/"), Logger: n.Logger,
		Source: func(ctx context.Context, b *builds.Build) (fetch.Source, error) { return sourceOf(ctx, read, git, b) }, Token: n.auth.BuildToken, MayPush: n.auth.BuildPushes,
		Account: func(ctx context.Context, r *builds.Rules) (string, error) { return accountOf(ctx, s.people, r) }}
	if n.secrets != nil {
		c.Secrets = n.secrets
	}
	c.Scanner = n.Scanner
	c.People, c.Visible, c.NameOf = s.people, n.rights.Visible, n.registry.Images.RepositoryName
	if n.NATSListen != "" && n.log.ReadOnly() == nil {
		c.Machines = &n.machines
	}
	if n.buildLog != nil {
		c.Log = buildLog{n.buildLog}
	}
	if n.archive != nil {
		c.Archive, c.LogTerm = n.archive, n.BuildLogAge
	}
	if n.Builds != nil && n.log.ReadOnly() == nil {
		c.Local = n.localBuilder()
	}
	return builder.New(c)
}

// readmes are those of the catalog, as builds read and set them.
type readmes struct {
	catalog.Reader
	node *Node
}

// SetReadme is of builder.Readmes.
func (r readmes) SetReadme(ctx context.Context, by command.By, id repository.ID, name, text string) error {
	editor := repository.Editor{Log: r.node.meteredLog(), Wait: r.node.shared.api.Readable, Catalog: r.Reader, Images: r.node.registry.Images}
	_, err := editor.Describe(ctx, by, id, name, repository.DescriptionChange{Readme: &text})
	return err
}

// localBuilder is the builder of this node. Its directory is beside the data, since
// what is in it is thrown away.
func (n *Node) localBuilder() *builder.Local {
	offer := rig.Offer(n.Builds.Tools)
	offer.Places = max(n.Builds.Places, 1)
	return &builder.Local{Name: localBuilder, Offer: offer, Open: func(ctx context.Context, hub worker.Hub) (*worker.Worker, error) {
		return rig.Open(ctx, rig.Config{Dir: filepath.Join(n.Data, "builds"), Tools: n.Builds.Tools, Hub: n.Builds.Hub, Registry: n.Builds.Registry, Aliases: n.hosts(), Egress: n.Egress, Logger: n.Logger}, hub)
	}}
}

// hosts are the names under which people know the hub: that of its public URL, and
// the one that docker commands in its messages have.
func (n *Node) hosts() (hosts []string) {
	if n.Public != nil {
		hosts = append(hosts, n.Public.Host)
	}
	if n.Docker != "" {
		hosts = append(hosts, n.Docker)
	}
	return hosts
}

// sourceOf says where the commit of a build is fetched from.
func sourceOf(ctx context.Context, read builds.Reader, git *sources.Sources, b *builds.Build) (from fetch.Source, err error) {
	of, err := read.SourceByID(ctx, b.Source)
	if err != nil {
		return from, fmt.Errorf("the git source of the build: %w", err)
	}
	from, err = sourceAt(ctx, git, of, b.Commit, b.Ref)
	from.Untrusted = b.Untrusted
	from.Submodules, from.LFS = bool(b.Rule.Submodules), bool(b.Rule.LFS) && from.URL.Scheme == "https"
	return from, err
}

// sourceAt says where a commit of a git source is fetched from.
func sourceAt(ctx context.Context, git *sources.Sources, of *builds.Source, commit, ref string) (from fetch.Source, err error) {
	from = fetch.Source{Commit: commit, Ref: ref}
	if from.URL, err = gitremote.ParseURL(of.Settings.URL); err != nil {
		return from, err
	}
	from.With, err = git.Credentials(ctx, of)
	return from, err
}

// accountOf is the account by whose rights the builds of a repository pull and push: the
// user who has set the rules, or else one who owns the namespace. Nobody owns that of
// top-level images, to which the administrators of the hub push.
func accountOf(ctx context.Context, people accounts.Reader, r *builds.Rules) (string, error) {
	a, err := people.Account(ctx, r.Actor)
	if err == nil && a.Kind == accounts.KindUser && !a.Erased && !a.Disabled {
		return a.ID, nil
	}
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return "", err
	}
	if a, err := people.AccountByID(ctx, r.Namespace); err == nil && a.Kind == accounts.KindUser {
		return a.ID, nil
	}
	members, err := people.Members(ctx, r.Namespace)
	for _, m := range members {
		if m.Role == events.RoleOwner {
			return m.User, nil
		}
	}
	if n, err := people.NamespaceByID(ctx, r.Namespace); err == nil && n.Name == access.Library {
		return people.ActiveAdmin(ctx)
	}
	return "", cmp.Or(err, fmt.Errorf("%w, because nobody owns the namespace and the operator is no user: log in as a user to set the rules or to start the build", builder.ErrNoAccount))
}

// BuildsHere says how this node can build: only where it listens for this machine
// alone, in plain. The error says what is missing.
func BuildsHere(listen string, tools drivers.Tools) (*Builds, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("the hub listens on a network: run a builder only where it listens on loopback")
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("builds run in cages, which only root can make")
	}
	if err := tools.Check(); err != nil {
		return nil, err
	}
	address := net.JoinHostPort(host, port)
	return &Builds{Tools: tools, Hub: &url.URL{Scheme: "http", Host: address}, Registry: address, Places: rig.Offer(tools).Places}, nil
}
