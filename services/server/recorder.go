package server

import (
	"io"
	"math"
	"net/http"
	"time"

	"hubledger/services/internal/budget"
)

// A responseRecorder records the status of an answer, and ends an answer that the
// client does not read. Unwrap and ReadFrom keep what the connection can do:
// deadlines, and sending files without copying.
type responseRecorder struct {
	http.ResponseWriter
	status   int
	deadline bool
	tab      *budget.Tab // of the request; nil when it has none
}

// Charge is of service.Answers.
func (r *responseRecorder) Charge(tab *budget.Tab) { r.tab = tab }

const (
	// stalled is how long the client may take to receive one piece of an answer.
	stalled = 5 * time.Minute
	// piece is how much of an answer is sent under one deadline, in bytes.
	piece = 4 << 20
	// buffered is about how many bytes a connection accepts while the client reads
	// nothing.
	buffered = 32 << 10
)

func (r *responseRecorder) extend() {
	r.deadline = true
	http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(stalled)) // unsupported only where there is no connection
}

// end removes the deadline from the connection, which serves the next request.
func (r *responseRecorder) end() {
	if r.deadline {
		http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Time{})
	}
}

func (r *responseRecorder) Write(p []byte) (int, error) {
	r.tab.Answering()
	if len(p) > buffered {
		r.extend()
	}
	return r.ResponseWriter.Write(p)
}

func (r *responseRecorder) WriteHeader(status int) {
	r.tab.Answering()
	if status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *responseRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ReadFrom lets io.Copy hand a file to the connection, piece by piece: the kernel
// sends a file that is read through an io.LimitedReader.
func (r *responseRecorder) ReadFrom(src io.Reader) (sent int64, err error) {
	r.tab.Answering()
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
