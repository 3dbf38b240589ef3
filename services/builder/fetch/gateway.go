package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
)

// A gateway is the way of git to its hosts. It lets git read repositories by
// connections that the guard judges, and shows the credentials to the host of the
// source alone.
type gateway struct {
	ctx    context.Context
	source Source
	http   *http.Client
	ssh    *gitremote.Client
	server *http.Server

	mu    sync.Mutex
	moved map[string]string // where a repository's URL was redirected to
	err   error             // the first that a host caused
}

func newGateway(ctx context.Context, f *Fetcher, s Source) *gateway {
	g := &gateway{ctx: ctx, source: s, http: f.Guard.NewClient(), ssh: gitremote.NewClient(f.Guard), moved: map[string]string{}}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(f.Logger.Handler(), slog.LevelDebug)}
	return g
}

func (g *gateway) close() {
	g.server.Close()
	g.http.CloseIdleConnections()
	g.ssh.Close()
}

// cause is the first error of a host, nil for none.
func (g *gateway) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *gateway) fail(w http.ResponseWriter, status int, err error) {
	g.mu.Lock()
	if g.err == nil && g.ctx.Err() == nil {
		g.err = err
	}
	g.mu.Unlock()
	http.Error(w, err.Error(), status)
}

// ServeHTTP answers git.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		g.serveSSH(w, r)
		return
	}
	scheme, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	const refs, pack = "/info/refs", "/git-upload-pack"
	get := r.Method == http.MethodGet && strings.HasSuffix(rest, refs) && r.URL.RawQuery == "service=git-upload-pack"
	post := r.Method == http.MethodPost && strings.HasSuffix(rest, pack) && r.URL.RawQuery == ""
	suffix := refs
	if post {
		suffix = pack
	}
	u, err := gitremote.ParseURL(scheme + "://" + strings.TrimSuffix(rest, suffix))
	if err != nil || scheme == "ssh" || !get && !post {
		http.Error(w, "a fetch reads git repositories only", http.StatusForbidden)
		return
	}
	g.forward(w, r, u, suffix)
}

// forward asks a host over HTTP.
func (g *gateway) forward(w http.ResponseWriter, r *http.Request, u gitremote.URL, suffix string) {
	base := strings.TrimSuffix(u.String(), "/")
	g.mu.Lock()
	to, moved := g.moved[base]
	g.mu.Unlock()
	if !moved {
		to = base
	}
	address := to + suffix
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, address, r.Body)
	if err != nil {
		g.fail(w, http.StatusBadGateway, err)
		return
	}
	req.ContentLength = r.ContentLength
	for _, name := range []string{"Accept", "Accept-Encoding", "Content-Type", "Content-Encoding", "Git-Protocol", "User-Agent"} {
		if v := r.Header.Get(name); v != "" {
			req.Header.Set(name, v)
		}
	}
	if own := g.source.URL; own.Scheme != "ssh" && g.source.With.Password != "" && req.URL.Scheme == own.Scheme && req.URL.Host == own.Host && g.mayShow(u) {
		req.SetBasicAuth(g.source.With.User, g.source.With.Password)
	}
	resp, err := g.http.Do(req)
	if err != nil {
		g.fail(w, http.StatusBadGateway, cause(err))
		return
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		g.fail(w, http.StatusForbidden, fmt.Errorf("%w (%s)", gitremote.ErrCredentials, resp.Status))
		return
	case http.StatusNotFound, http.StatusGone:
		g.fail(w, http.StatusNotFound, gitremote.ErrNotFound)
		return
	default:
		g.fail(w, http.StatusBadGateway, fmt.Errorf("it answered %.100q", resp.Status))
		return
	}
	if final := resp.Request.URL; final.String() != address {
		if path, ok := strings.CutSuffix(final.Path, suffix); ok {
			g.move(base, (&url.URL{Scheme: final.Scheme, Host: final.Host, Path: path}).String())
		}
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if v := resp.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	io.Copy(w, resp.Body)
}

// mayShow says whether a repository of the source's host is shown the credentials.
func (g *gateway) mayShow(u gitremote.URL) bool {
	return !g.source.Untrusted || strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(g.source.URL.Path, "/")
}

const maxMoved = 1000

// move remembers where a repository is, since a POST is not redirected.
func (g *gateway) move(from, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.moved) < maxMoved {
		g.moved[from] = to
	}
}

// cause is that of an error of net/http, without its URL, to which a redirect may
// have added a secret.
func cause(err error) error {
	var op *net.OpError
	if errors.Is(err, egress.ErrForbidden) && errors.As(err, &op) {
		return op.Err
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// serveSSH runs git-upload-pack on a host over SSH.
func (g *gateway) serveSSH(w http.ResponseWriter, r *http.Request) {
	u := gitremote.URL{Scheme: "ssh", User: r.Header.Get(headerUser), Host: strings.ToLower(r.Host), Path: r.Header.Get(headerPath)}
	checked, err := gitremote.ParseURL(u.String())
	own := g.source.URL
	switch {
	case err != nil:
		g.fail(w, http.StatusForbidden, err)
		return
	case own.Scheme != "ssh" || checked.Host != own.Host || checked.User != own.User:
		g.fail(w, http.StatusForbidden, fmt.Errorf("%s is another host than that of the repository, and there is no key for it: use an https URL", checked.Host))
		return
	case !g.mayShow(checked):
		g.fail(w, http.StatusForbidden, errors.New("a submodule in the pull request of a fork is not fetched with the key of the repository: use an https URL of a public one"))
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		g.fail(w, http.StatusInternalServerError, err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(g.ctx, func() { conn.Close() })()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	if err := g.ssh.UploadPack(g.ctx, checked, g.source.With, r.Header.Get(headerProtocol), buffered, conn); err != nil {
		g.mu.Lock()
		if g.err == nil && g.ctx.Err() == nil {
			g.err = err
		}
		g.mu.Unlock()
	}
}
