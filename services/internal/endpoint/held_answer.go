package endpoint

import (
	"bytes"
	"maps"
	"net/http"

	"hubledger/services/internal/apitypes"
)

// A HeldAnswer buffers an answer, so that it can be kept or read before it is sent.
type HeldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// NewHeldAnswer makes one that nothing was written to.
func NewHeldAnswer() *HeldAnswer { return &HeldAnswer{header: http.Header{}} }

// Header is http.ResponseWriter's.
func (a *HeldAnswer) Header() http.Header { return a.header }

// Status is what was answered; 200 unless something else was said.
func (a *HeldAnswer) Status() int { return max(a.status, http.StatusOK) }

// Body is what was written so far.
func (a *HeldAnswer) Body() []byte { return a.body.Bytes() }

// WriteHeader is http.ResponseWriter's: the first status counts.
func (a *HeldAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write is http.ResponseWriter's; it does not fail.
func (a *HeldAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// changed says whether the answer is to a change, with its sequence.
func (a *HeldAnswer) changed() bool { return a.header.Get(apitypes.SequenceHeader) != "" }

func (a *HeldAnswer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.Status())
	w.Write(a.body.Bytes()) // fails only when the client went away
}
