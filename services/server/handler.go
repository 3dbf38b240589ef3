package server

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"hubledger/services/internal/service"
)

// A handler is that of the HTTP server. It answers from the first moment on:
// while the node starts, everything but /healthz says how far it is.
type handler struct {
	status   atomic.Pointer[string]
	node     atomic.Pointer[Node]
	starting *service.Router // what is served before the node is there

	browsers http.CrossOriginProtection
	bodyTime time.Duration // how long a request's body may take while nobody reads it, or nobody has given it more
}

func newHandler() (*handler, error) {
	h := &handler{bodyTime: 15 * time.Second}
	h.progress("opening the log", 0, 0)
	var err error
	h.starting, err = service.NewRouter([]service.Service{{Name: "pages", Routes: []service.Route{healthRoute}}}, h.unavailable)
	return h, err
}

// progress notes how far a start is.
func (h *handler) progress(what string, done, total int64) {
	s := "starting: " + what
	if total > 0 {
		s += fmt.Sprintf(", %d %%", min(done, total)*100/total)
	}
	h.status.Store(&s)
}

func (h *handler) ready(n *Node) { h.node.Store(n) }

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

// ServeHTTP hands a request to the service whose route it is for.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A browser that another site has sent here must change nothing: it may
	// know the password of its user.
	if err := h.browsers.Check(r); err != nil {
		http.Error(w, "a request from another site is not accepted", http.StatusForbidden)
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Now().Add(h.bodyTime)) // unsupported only where there is no connection
		r.Body = &boundedBody{r.Body, control}
	}
	if n := h.node.Load(); n != nil {
		n.metrics.serve(n.router, w, r)
		return
	}
	h.starting.ServeHTTP(w, r)
}

func (h *handler) unavailable(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, *h.status.Load(), http.StatusServiceUnavailable)
}
