package cmd

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// A front is the HTTP server's handler. It answers from the first moment on:
// while the hub starts, everything but /healthz says how far it is.
type front struct {
	status atomic.Pointer[string]
	hub    atomic.Pointer[hub]
	pages  http.ServeMux
}

func newFront() *front {
	f := &front{}
	f.starting("opening the log", 0, 0)
	f.pages.HandleFunc("GET /{$}", f.home)
	f.pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	f.pages.HandleFunc("GET /readyz", f.readyz)
	f.pages.HandleFunc("GET /metrics", f.metrics)
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

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Whoever reaches loopback may push, so a web page must not reach it by a
	// name of its own that it lets point here (DNS rebinding).
	if host := hostOf(r.Host); !isLoopback(host) {
		http.Error(w, fmt.Sprintf("this hub answers to localhost and loopback addresses only, not to %q", host), http.StatusMisdirectedRequest)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/v2/") && r.URL.Path != "/v2" {
		f.pages.ServeHTTP(w, r)
		return
	}
	h := f.hub.Load()
	if h == nil {
		f.unavailable(w)
		return
	}
	h.metrics.serve(h.registry, w, r)
}

func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}

func (f *front) unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, *f.status.Load(), http.StatusServiceUnavailable)
}

// home is what a browser gets until there is a web UI.
func (f *front) home(w http.ResponseWriter, _ *http.Request) {
	h := f.hub.Load()
	switch {
	case h == nil:
		f.unavailable(w)
	case h.log.ReadOnly() != nil:
		http.Error(w, "Hubledger is read-only: pulls work, pushes and deletions do not.\n\n"+h.log.ReadOnly().Error(), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "Hubledger is running. The registry's API is below /v2/; see also /readyz and /metrics.")
	}
}

// readyz is 200 when pushes and pulls work.
func (f *front) readyz(w http.ResponseWriter, _ *http.Request) {
	h := f.hub.Load()
	switch {
	case h == nil:
		f.unavailable(w)
	case h.log.ReadOnly() != nil:
		http.Error(w, "read-only: "+h.log.ReadOnly().Error(), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}

func (f *front) metrics(w http.ResponseWriter, r *http.Request) {
	h := f.hub.Load()
	if h == nil {
		f.unavailable(w)
		return
	}
	h.metrics.expose(h, w, r)
}
