package cmd

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"hubledger/services/internal/origin"
)

// A front is the HTTP server's handler. It answers from the first moment on:
// while the hub starts, everything but /healthz says how far it is.
type front struct {
	status atomic.Pointer[string]
	hub    atomic.Pointer[hub]
	pages  http.ServeMux

	browsers http.CrossOriginProtection
	bodyTime time.Duration // how long a request's body may take while nobody reads it, or nobody has given it more
}

// A page is one of the few answers that belong to no service.
type page struct {
	pattern    string
	permission string // who may see it, in words
	serve      func(f *front, w http.ResponseWriter, r *http.Request)
}

var pages = []page{
	{"GET /{$}", "everybody", (*front).home},
	{"GET /healthz", "everybody", (*front).healthz},
	{"GET /readyz", "everybody", (*front).readyz},
	{"GET /metrics", "this machine, and administrators of the hub", (*front).metrics},
}

func newFront() *front {
	f := &front{bodyTime: 15 * time.Second}
	f.starting("opening the log", 0, 0)
	for _, p := range pages {
		f.pages.HandleFunc(p.pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(f, w, r) })
	}
	return f
}

func (f *front) starting(what string, done, total int64) {
	s := "starting: " + what
	if total > 0 {
		s += fmt.Sprintf(", %d %%", min(done, total)*100/total)
	}
	f.status.Store(&s)
}

func (f *front) ready(h *hub) { f.hub.Store(h) }

// A bounded body takes its deadline off the connection when it has been read.
type boundedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { // after any other error the rest is not waited for
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// ServeHTTP hands a request to the service whose path it is.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A browser that another site has sent here must change nothing: it may
	// know the password of its user.
	if err := f.browsers.Check(r); err != nil {
		http.Error(w, "a request from another site is not accepted", http.StatusForbidden)
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Now().Add(f.bodyTime)) // unsupported only where there is no connection
		r.Body = &boundedBody{r.Body, control}
	}
	h := f.hub.Load()
	handler, ours := http.Handler(nil), true
	switch {
	case h == nil:
		ours = strings.HasPrefix(r.URL.Path, "/v2") || strings.HasPrefix(r.URL.Path, "/v1/") ||
			strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/token"
	default:
		handler = h.serving(r.URL.Path)
		ours = handler != nil
	}
	switch {
	case !ours:
		f.pages.ServeHTTP(w, r)
	case h == nil:
		f.unavailable(w)
	default:
		h.metrics.serve(handler, w, r)
	}
}

// serving is the service that a path belongs to, nil for none.
func (h *hub) serving(path string) http.Handler {
	switch {
	case strings.HasPrefix(path, "/v2/") && (strings.Contains(path, "/manifests/") || strings.Contains(path, "/blobs/")):
		return h.registry // whatever the name begins with: the registry says what is wrong with it
	case h.api.Serves(path):
		return h.api
	case path == "/v2" || strings.HasPrefix(path, "/v2/"):
		return h.registry
	case path == "/token" || path == "/.well-known/jwks.json":
		return h.auth
	}
	return nil
}

func (f *front) unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, *f.status.Load(), http.StatusServiceUnavailable)
}

func (f *front) healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// home is what a browser gets until there is a web UI.
func (f *front) home(w http.ResponseWriter, r *http.Request) {
	h := f.hub.Load()
	switch {
	case h == nil:
		f.unavailable(w)
	case h.log.ReadOnly() != nil:
		http.Error(w, "Hubledger is read-only: pulls work, pushes and deletions do not."+reason(h, r), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "Hubledger is running. The registry's API is below /v2/, the hub's is described by /api/v1/openapi.json; see also /readyz.")
	}
}

// readyz is 200 when pushes and pulls work.
func (f *front) readyz(w http.ResponseWriter, r *http.Request) {
	h := f.hub.Load()
	switch {
	case h == nil:
		f.unavailable(w)
	case h.log.ReadOnly() != nil:
		http.Error(w, "read-only"+reason(h, r), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}

// reason is why the log is read-only, for this machine only: it names files.
func reason(h *hub, r *http.Request) string {
	if !local(r) {
		return ""
	}
	return "\n\n" + h.log.ReadOnly().Error()
}

// local says whether a request comes from this machine, and not from a proxy
// on it that nobody has told us to trust.
func local(r *http.Request) bool {
	return origin.Of(r).Addr.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

func (f *front) metrics(w http.ResponseWriter, r *http.Request) {
	h := f.hub.Load()
	if h == nil {
		f.unavailable(w)
		return
	}
	if !local(r) {
		p, err := h.auth.Authenticate(r)
		if err != nil || !p.Admin || p.Limit != nil && p.Limit.Repositories != nil {
			w.Header().Set("WWW-Authenticate", `Basic realm="hubledger"`)
			http.Error(w, "metrics are for this machine and for administrators of the hub", http.StatusUnauthorized)
			return
		}
	}
	h.metrics.expose(h, w, r)
}
