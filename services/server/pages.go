package server

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/service"
)

// healthRoute is served even while the node starts.
var healthRoute = service.Route{Method: "GET", Pattern: "/healthz", Permission: access.Open, Cost: budget.Light,
	Serve: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }}

// pages are the endpoints of the node itself, which belong to no service.
func (n *Node) pages() service.Service {
	return service.Service{Name: "pages", Routes: []service.Route{
		healthRoute,
		{Method: "GET", Pattern: "/readyz", Permission: access.Open, Cost: budget.Light, Serve: n.readyz},
		{Method: "GET", Pattern: "/metrics", Permission: access.ThisMachineOrHubAdmin, Cost: budget.List, Serve: n.serveMetrics},
	}}
}

// notFound answers for paths of no service. One that is not clean leads to the
// clean one: a client whose base URL ends in a slash asks for //v2/.
func notFound(w http.ResponseWriter, r *http.Request, status int, allow string) {
	if clean := path.Clean(r.URL.Path); clean != strings.TrimSuffix(r.URL.Path, "/") {
		u := url.URL{Path: clean, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, u.String(), http.StatusTemporaryRedirect)
		return
	}
	service.PlainNotServed(w, r, status, allow)
}

// reason is why the log is read-only. It names files, so only requests from this
// machine get it.
func (n *Node) reason(r *http.Request) string {
	if !fromThisMachine(r) {
		return ""
	}
	return "\n\n" + n.log.ReadOnly().Error()
}

// fromThisMachine says whether a request comes from this machine. One with
// forwarded headers does not: a proxy on this machine may have forwarded it.
func fromThisMachine(r *http.Request) bool {
	return origin.Of(r).Addr.IsLoopback() && !origin.Forwarded(r.Header)
}

func (n *Node) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !fromThisMachine(r) {
		p, err := n.auth.Authenticate(r)
		if err != nil || !p.Administers() {
			w.Header().Set("WWW-Authenticate", `Basic realm="hubledger"`)
			http.Error(w, "metrics are for this machine and for administrators of the hub", http.StatusUnauthorized)
			return
		}
	}
	n.metrics.Expose(w, r, n.collectors)
}

// mode says in one sentence what a node with an untrusted log does.
func (n *Node) mode() string {
	if missing := n.models.Missing(); len(missing) > 0 {
		return fmt.Sprintf("Hubledger serves neither pulls nor pushes: its log is not trusted, and no projection is built from it, of which these are missing: %s.",
			strings.Join(missing, ", "))
	}
	return "Hubledger is read-only: pulls work, pushes and deletions do not."
}

// readOnlyText is the mode, and the reason to those who may know it.
func (n *Node) readOnlyText(r *http.Request) string { return n.mode() + n.reason(r) }
