package meter

import (
	"io"
	"net/http"

	"hubledger/services/internal/budget"
)

// A responseRecorder records the status of an answer. Unwrap and ReadFrom keep what
// the connection can do: deadlines, and sending files without copying.
type responseRecorder struct {
	http.ResponseWriter
	status int
	tab    *budget.Tab // of the request; nil when it has none
}

// Charge is of service.Answers.
func (r *responseRecorder) Charge(tab *budget.Tab) { r.tab = tab }

func (r *responseRecorder) Write(p []byte) (int, error) {
	r.tab.Answering()
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

// ReadFrom lets io.Copy hand a file to the connection.
func (r *responseRecorder) ReadFrom(src io.Reader) (int64, error) {
	r.tab.Answering()
	return io.Copy(r.ResponseWriter, src)
}
