package server

import (
	"io"
	"math"
	"net/http"
	"time"
)

// A responseRecorder notes the status, and ends an answer that nobody reads. Unwrap and
// ReadFrom keep the connection's own ways open: deadlines, and files sent
// without copying.
type responseRecorder struct {
	http.ResponseWriter
	status   int
	deadline bool
}

const (
	// stalled is how long the client may take for one piece of an answer.
	stalled = 5 * time.Minute
	// piece is how much of an answer is sent under one deadline, in bytes.
	piece = 4 << 20
	// buffered is what a connection takes without anybody reading, about.
	buffered = 32 << 10
)

func (r *responseRecorder) extend() {
	r.deadline = true
	http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(stalled)) // unsupported only where there is no connection
}

// end takes the deadline off the connection, which goes on to the next request.
func (r *responseRecorder) end() {
	if r.deadline {
		http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Time{})
	}
}

func (r *responseRecorder) Write(p []byte) (int, error) {
	if len(p) > buffered {
		r.extend()
	}
	return r.ResponseWriter.Write(p)
}

func (r *responseRecorder) WriteHeader(status int) {
	if status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *responseRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ReadFrom lets io.Copy hand a file to the connection, piece by piece: what is
// read through a LimitedReader is sent by the kernel.
func (r *responseRecorder) ReadFrom(src io.Reader) (sent int64, err error) {
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for whole.N > 0 {
		r.extend()
		part := &io.LimitedReader{R: whole.R, N: min(whole.N, piece)}
		n, err := io.Copy(r.ResponseWriter, part)
		sent += n
		whole.N -= n
		if err != nil || part.N > 0 {
			return sent, err
		}
	}
	return sent, nil
}
