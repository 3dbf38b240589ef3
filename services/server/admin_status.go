package server

import (
	"context"
	"net/http"

	"hubledger/services/internal/adminsocket"
)

func (n *Node) adminStatus(ctx context.Context, _ *http.Request, a *adminResponse) error {
	return a.item(n.status(ctx))
}

// status is what can be found out. Its problems say what cannot, and why.
func (n *Node) status(ctx context.Context) adminsocket.Status {
	problems := n.problems(ctx)
	st := adminsocket.Status{Ready: !blocked(problems), Problems: problems, Docker: n.Docker, Services: n.Services(), Generation: n.log.Generation()}
	if n.stores.Blobs != nil {
		usage := n.stores.Blobs.Usage()
		st.Blobs, st.BlobBytes = usage.Blobs, usage.Bytes
	}
	if left, known, err := n.space(); known && err == nil {
		st.Left = max(left, 0)
	}
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
			status.LastError = err.Error()
		}
		st.Managers = append(st.Managers, adminsocket.Manager{Name: status.Name, Leading: status.Leading, Due: status.Due, Dead: status.Dead, LastError: status.LastError})
	}
	return st
}
