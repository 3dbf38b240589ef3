package registry

import (
	"io"
	"net/http"
	"time"
)

// idleLimit is how long a client may send nothing in the middle of a body. A
// slow upload goes on for as long as it moves; a dead one ends.
const idleLimit = 60 * time.Second

// bodyOf is the request's body with a read deadline that moves as long as bytes
// arrive.
func bodyOf(w http.ResponseWriter, r *http.Request) *requestBody {
	return &requestBody{body: r.Body, control: http.NewResponseController(w)}
}

type requestBody struct {
	body    io.Reader
	control *http.ResponseController
	set     time.Time
	failed  bool // the connection broke off, or was too slow
}

func (b *requestBody) Close() error { return nil } // the server closes it

func (b *requestBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.set) > idleLimit/10 {
		b.set = now
		b.control.SetReadDeadline(now.Add(idleLimit)) // unsupported only where there is no connection
	}
	n, err := b.body.Read(p)
	if err != nil {
		b.failed = err != io.EOF
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
