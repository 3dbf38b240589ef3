package registry

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// idleLimit is how long a client may send nothing in the middle of a body. A
// slow upload goes on for as long as it moves; a dead one ends.
const idleLimit = 60 * time.Second

var smallBuffers = sync.Pool{New: func() any { return new([maxSmall]byte) }}

// progress gives the request's body a deadline that moves with it.
func progress(w http.ResponseWriter, r *http.Request) *movingBody {
	return &movingBody{body: r.Body, control: http.NewResponseController(w)}
}

type movingBody struct {
	body    io.Reader
	control *http.ResponseController
	set     time.Time
	failed  bool // the client's side broke off
}

func (b *movingBody) Close() error { return nil } // the server closes it

func (b *movingBody) Read(p []byte) (int, error) {
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
