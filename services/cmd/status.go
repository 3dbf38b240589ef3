package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/streams"
)

type statusCmd struct{}

// A hubStatus is what the running hub says of itself.
type hubStatus struct {
	Ready      bool   `json:"ready"`
	ReadOnly   string `json:"readOnly,omitempty"` // why nothing can be pushed
	Generation string `json:"generation"`
	Events     uint64 `json:"events"` // the log's last sequence
	LogBytes   uint64 `json:"logBytes"`
	Blobs      int64  `json:"blobs"`
	BlobBytes  int64  `json:"blobBytes"`
	Left       int64  `json:"left"` // bytes that uploads may still write
}

func (statusCmd) Run(s *session) error {
	var readOnly string
	err := items(s, "GET", "/status", nil, nil, func(h hubStatus) error {
		readOnly = h.ReadOnly
		if s.json {
			return nil
		}
		_, err := fmt.Fprintf(s.out, "ready      %t\nlog        %d events, %s, generation %s\nblobs      %d, %s\ndisk       %s left for uploads\n",
			h.Ready, h.Events, size(int64(h.LogBytes)), h.Generation, h.Blobs, size(h.BlobBytes), size(h.Left))
		return err
	})
	if err == nil && readOnly != "" {
		return &exitError{errors.New(readOnly), exitGuard}
	}
	return err
}

func (h *hub) adminStatus(ctx context.Context, _ *http.Request, a *answer) error {
	usage := h.blobs.Usage()
	left, _, _, err := h.blobs.Space()
	if err != nil {
		return err
	}
	st := hubStatus{Ready: true, Generation: h.log.Generation(), Blobs: usage.Blobs, BlobBytes: usage.Bytes, Left: max(left, 0)}
	if reason := h.log.ReadOnly(); reason != nil {
		st.Ready, st.ReadOnly = false, reason.Error()
	}
	// A log that cannot be asked has said why by ReadOnly.
	var state streams.State
	if state, err = h.log.State(ctx); err == nil {
		st.Events, st.LogBytes = state.LastSeq, state.Bytes
	}
	return a.item(st)
}
