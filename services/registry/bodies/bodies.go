// Package bodies reads the bodies of requests: within time limits, and with a
// meter that can refuse what is too much while it arrives.
package bodies

import (
	"io"
	"net/http"
	"time"
)

// idleLimit is how long a client may send nothing in the middle of a body. A
// slow upload goes on for as long as it moves; a dead one ends.
const idleLimit = 60 * time.Second

// Of is the request's body with a read deadline that moves as long as bytes
// arrive.
func Of(w http.ResponseWriter, r *http.Request) *Body {
	return &Body{body: r.Body, control: http.NewResponseController(w)}
}

// A body that is kept in memory until all of it is there has wholeTime to
// arrive, and a second more for each wholeRate bytes that have arrived.
const (
	wholeTime = 30 * time.Second
	wholeRate = 32 << 10
)

// WholeOf is Of for a body that is kept in memory: to send a byte now and then
// does not keep it there.
func WholeOf(w http.ResponseWriter, r *http.Request) *Body {
	b := Of(w, r)
	b.begun = time.Now()
	return b
}

// A Body is the body of one request.
type Body struct {
	body    io.Reader
	control *http.ResponseController
	set     time.Time
	begun   time.Time // of a whole body; zero for others
	read    int64     // bytes so far
	failed  bool
}

// Drop gives what is left of a request's body little time: net/http reads it to
// its end before the next request.
func Drop(w http.ResponseWriter) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(idleLimit / 10))
}

// Failed says whether the connection broke off or was too slow.
func (b *Body) Failed() bool { return b.failed }

// Close does nothing: the server closes the body.
func (b *Body) Close() error { return nil }

func (b *Body) Read(p []byte) (int, error) {
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
