package endpoint

import (
	"bytes"
	"maps"
	"net/http"

	"hubledger/services/internal/apitypes"
)

// A heldAnswer buffers an answer, so that it can be kept before it is sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newHeldAnswer() *heldAnswer { return &heldAnswer{header: http.Header{}} }

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *heldAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// changed says whether the answer is to a change, with its sequence.
func (a *heldAnswer) changed() bool { return a.header.Get(apitypes.SequenceHeader) != "" }

func (a *heldAnswer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(max(a.status, http.StatusOK))
	w.Write(a.body.Bytes()) // fails only when the client went away
}
