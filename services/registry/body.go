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

// A body that is kept in memory until all of it is there has wholeTime to
// arrive, and a second more for each wholeRate bytes that have arrived.
const (
	wholeTime = 30 * time.Second
	wholeRate = 32 << 10
)

// wholeBodyOf is bodyOf for a body that is kept in memory: to send a byte now
// and then does not keep it there.
func wholeBodyOf(w http.ResponseWriter, r *http.Request) *requestBody {
	b := bodyOf(w, r)
	b.begun = time.Now()
	return b
}

type requestBody struct {
	body    io.Reader
	control *http.ResponseController
	set     time.Time
	begun   time.Time // of a whole body; zero for others
	read    int64     // bytes so far
	failed  bool      // the connection broke off, or was too slow
}

func (b *requestBody) Close() error { return nil } // the server closes it

func (b *requestBody) Read(p []byte) (int, error) {
	if !b.begun.IsZero() {
		b.control.SetReadDeadline(b.begun.Add(wholeTime + time.Duration(b.read/wholeRate)*time.Second))
	} else if now := time.Now(); now.Sub(b.set) > idleLimit/10 {
		b.set = now
		b.control.SetReadDeadline(now.Add(idleLimit)) // unsupported only where there is no connection
	}
	n, err := b.body.Read(p)
	b.read += int64(n)
	if err != nil {
		b.failed = err != io.EOF
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
