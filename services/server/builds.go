package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/services/builder"
	"hubledger/services/builder/buildkit"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/relay"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/gitremote"
	"hubledger/services/sources"
	"hubledger/streams/buildlog"
)

// Builds says whether and how this node builds.
type Builds struct {
	// Tools are the programs that it needs.
	Tools buildkit.Tools
	// Hub is where this node is reached from this machine.
	Hub *url.URL
	// Registry is how builds call it, in names of images.
	Registry string
	// Places is how many builds run at once.
	Places int
}

// buildLog is the log of builds as the builder knows it.
type buildLog struct{ *buildlog.Store }

func (l buildLog) Read(ctx context.Context, build string, after uint64, max int) ([]builder.LogChunk, error) {
	chunks, err := l.Store.Read(ctx, build, after, max)
	list := make([]builder.LogChunk, len(chunks))
	for k, c := range chunks {
		list[k] = builder.LogChunk(c)
	}
	return list, err
}

// localBuilder is what the builder of this node is called. Its log has no other node.
const localBuilder = "local"

func (n *Node) makeBuilder(s shared, git *sources.Sources) *builder.Builder {
	model := n.models.Of(&builds.Projection)
	read := builds.Reader{DB: model}
	c := builder.Config{Events: n.meteredLog(), API: s.api.Sibling(), Read: read, View: model, Images: n.registry, URL: strings.TrimSuffix(n.URL, "/"), Logger: n.Logger,
		Source: func(ctx context.Context, b *builds.Build) (fetch.Source, error) { return sourceOf(ctx, read, git, b) }, Token: n.auth.BuildToken,
		Account: func(ctx context.Context, r *builds.Rules) (string, error) { return accountOf(ctx, s.people, r) }}
	if n.secrets != nil {
		c.Secrets = n.secrets
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

// localBuilder is the builder of this node. Its directory is beside the data, since
// what is in it is thrown away.
func (n *Node) localBuilder() *builder.Local {
	dir, err := filepath.Abs(filepath.Join(n.Data, "builds")) // cages have another root
	if err != nil {
		dir = filepath.Join(n.Data, "builds")
	}
	fetcher := &fetch.Fetcher{Guard: n.Egress, Dir: filepath.Join(dir, "fetches"), Logger: n.Logger}
	return &builder.Local{
		Name: localBuilder, Places: max(n.Builds.Places, 1), Platforms: []string{"linux/" + runtime.GOARCH}, Dir: filepath.Join(dir, "checkouts"),
		Open: func(ctx context.Context, credentials func(attempt string) worker.Credentials) (driver.Driver, string, error) {
			d, err := n.openDriver(ctx, dir, fetcher, credentials)
			return d, n.Builds.Registry, err
		},
		Fetcher: fetcher,
	}
}

// sourceOf says where the commit of a build is fetched from.
func sourceOf(ctx context.Context, read builds.Reader, git *sources.Sources, b *builds.Build) (from fetch.Source, err error) {
	of, err := read.SourceByID(ctx, b.Source)
	if err != nil {
		return from, fmt.Errorf("the git source of the build: %w", err)
	}
	return sourceAt(ctx, git, of, b.Commit, b.Ref)
}

// sourceAt says where a commit of a git source is fetched from, and that all of it is.
func sourceAt(ctx context.Context, git *sources.Sources, of *builds.Source, commit, ref string) (from fetch.Source, err error) {
	from = fetch.Source{Commit: commit, Ref: ref, Submodules: true}
	if from.URL, err = gitremote.ParseURL(of.Settings.URL); err != nil {
		return from, err
	}
	from.With, err = git.Credentials(ctx, of)
	from.LFS = from.URL.Scheme == "https"
	return from, err
}

// openDriver makes the driver once the hub can be pushed to.
func (n *Node) openDriver(ctx context.Context, dir string, fetcher *fetch.Fetcher, credentials func(attempt string) worker.Credentials) (driver.Driver, error) {
	for _, one := range []string{fetcher.Dir, filepath.Join(dir, "checkouts")} {
		if err := os.MkdirAll(one, 0o700); err != nil {
			return nil, err
		}
	}
	if err := fetcher.Sweep(); err != nil {
		n.Logger.Warn("something of an earlier build is left on this machine", "error", err)
	}
	d, err := buildkit.New(caged.Config{Dir: filepath.Join(dir, "buildkit"), Hub: n.Builds.Hub, Registry: n.Builds.Registry, Logger: n.Logger,
		Credentials: func(s driver.Spec) relay.Credentials { return credentials(s.ID) }}, n.Builds.Tools)
	if err != nil {
		return nil, err
	}
	return d, n.awaitReady(ctx)
}

// awaitReady returns when the hub answers that it can be pushed to.
func (n *Node) awaitReady(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.Builds.Hub.String()+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// accountOf is the account by whose rights the builds of a repository pull and push: the
// user who has set the rules, or else one who owns the namespace.
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
	return "", cmp.Or(err, errors.New("nobody who may push has set the rules, and nobody owns the namespace: set the rules again"))
}

// BuildsHere says how this node can build: only where it listens for this machine
// alone, in plain. The error says what is missing.
func BuildsHere(listen string, tools buildkit.Tools) (*Builds, error) {
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
	return &Builds{Tools: tools, Hub: &url.URL{Scheme: "http", Host: address}, Registry: address, Places: max(1, runtime.NumCPU()/2)}, nil
}
