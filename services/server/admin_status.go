package server

import (
	"context"
	"net/http"

	"hubledger/services/internal/adminsocket"
)

func (n *Node) adminStatus(ctx context.Context, _ *http.Request, a *adminResponse) error {
	st := adminsocket.Status{Ready: true, Services: n.Services(), Generation: n.log.Generation()}
	if n.stores.Blobs != nil {
		usage := n.stores.Blobs.Usage()
		left, _, _, err := n.stores.Blobs.Space()
		if err != nil {
			return err
		}
		st.Blobs, st.BlobBytes, st.Left = usage.Blobs, usage.Bytes, max(left, 0)
	}
	if reason := n.log.ReadOnly(); reason != nil {
		st.Ready, st.ReadOnly = false, reason.Error()
	}
	// If the log cannot be read, ReadOnly says why.
	if state, err := n.log.State(ctx); err == nil {
		st.Events, st.LogBytes = state.LastSeq, state.Bytes
	}
	for _, m := range n.managers {
		status, err := m.Status(ctx)
		if err != nil {
			return err
		}
		st.Managers = append(st.Managers, adminsocket.Manager{Name: status.Name, Leading: status.Leading, Due: status.Due, Dead: status.Dead, LastError: status.LastError})
	}
	return a.item(st)
}
