package server

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"hubledger/services/internal/service"
	"hubledger/services/server/connections"
)

// bodyTime is how long a request's body may take to arrive.
const bodyTime = 15 * time.Second

// A handler serves all HTTP requests. While the node starts, it answers
// everything but /healthz with 503 and the progress of the start.
type handler struct {
	status   atomic.Pointer[string]
	node     atomic.Pointer[Node]
	starting *service.Router // serves until the node is ready

	browsers http.CrossOriginProtection
	bodyTime time.Duration // see bodyTime; the service that reads the body may allow more
}

func newHandler() (*handler, error) {
	h := &handler{bodyTime: bodyTime}
	h.progress("opening the log", 0, 0)
	var err error
	h.starting, err = service.NewRouter([]service.Service{{Name: "pages", Routes: []service.Route{healthRoute}}}, h.unavailable)
	return h, err
}

// progress sets the progress of the start.
func (h *handler) progress(what string, done, total int64) {
	s := "starting: " + what
	if total > 0 {
		s += fmt.Sprintf(", %d %%", min(done, total)*100/total)
	}
	h.status.Store(&s)
}

func (h *handler) ready(n *Node) { h.node.Store(n) }

// A boundedBody removes the connection's read deadline when it has been read to
// the end.
type boundedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { // after another error the deadline stays: the rest is not waited for
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// ServeHTTP hands a request to the service that has a route for it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A request that another site makes a browser send must change nothing: the
	// browser may add the password of its user.
	if err := h.browsers.Check(r); err != nil {
		http.Error(w, "a request from another site is not accepted", http.StatusForbidden)
		return
	}
	w = connections.Bounded(w, r)
	if r.Body != nil && r.Body != http.NoBody {
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Now().Add(h.bodyTime)) // unsupported only where there is no connection
		r.Body = &boundedBody{r.Body, control}
	}
	if n := h.node.Load(); n != nil {
		if n.metrics.Serve(n.router, w, r) == http.StatusInsufficientStorage {
			n.warnOfSpace()
		}
		return
	}
	h.starting.ServeHTTP(w, r)
}

func (h *handler) unavailable(w http.ResponseWriter, _ *http.Request, _ int, _ string) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, *h.status.Load(), http.StatusServiceUnavailable)
}
