package api

import (
	"bytes"
	"maps"
	"net/http"
)

// A recorder takes an answer in, so that it can be kept before it is sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (c *recorder) Header() http.Header { return c.header }

func (c *recorder) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

func (c *recorder) Write(b []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	return c.body.Write(b)
}

// written says whether the answer tells of an event.
func (c *recorder) written() bool { return c.header.Get(sequenceHeader) != "" }

func (c *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(max(c.status, http.StatusOK))
	w.Write(c.body.Bytes()) // fails only when the client went away
}
