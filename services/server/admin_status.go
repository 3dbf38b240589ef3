package server

import (
	"context"
	"net/http"

	"hubledger/services/internal/adminsocket"
)

func (n *Node) adminStatus(ctx context.Context, _ *http.Request, a *adminResponse) error {
	problems := n.problems(ctx)
	st := adminsocket.Status{Ready: !blocked(problems), Problems: problems, Services: n.Services(), Generation: n.log.Generation()}
	if n.stores.Blobs != nil {
		usage := n.stores.Blobs.Usage()
		st.Blobs, st.BlobBytes = usage.Blobs, usage.Bytes
	}
	left, _, err := n.space()
	if err != nil {
		return err
	}
	st.Left = max(left, 0)
	if reason := n.log.ReadOnly(); reason != nil {
		st.ReadOnly = reason.Error()
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
