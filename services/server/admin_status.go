package server

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/apitypes"
)

// asSystem is the node as its administrators see it, by the admin socket and by the API:
// system.Node.
type asSystem struct{ *Node }

// Status is what can be found out.
func (n asSystem) Status(ctx context.Context) adminsocket.Status { return n.status(ctx) }

// Settings are the options of serve as they are in effect. Addresses with passwords are
// not among them.
func (n asSystem) Settings() []apitypes.SystemSetting {
	of := func(d time.Duration) string {
		if d == 0 {
			return "off"
		}
		return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
	}
	either := func(set bool, yes, no string) string {
		if set {
			return yes
		}
		return no
	}
	public := "that of each request"
	if n.Public != nil {
		public = n.Public.String()
	}
	var trusted []string
	for _, p := range n.Trusted {
		trusted = append(trusted, p.String())
	}
	return []apitypes.SystemSetting{
		{Name: "--data", Value: n.Data},
		{Name: "--listen", Value: n.Listen},
		{Name: "--public-url", Value: public},
		{Name: "--trusted-proxies", Value: cmp.Or(strings.Join(trusted, ", "), "none")},
		{Name: "--nats-url", Value: either(n.NATSURL == "", "embedded", "a NATS server")},
		{Name: "--nats-listen", Value: cmp.Or(n.NATSListen, "off")},
		{Name: "--postgres-url", Value: either(n.PostgresURL == "", "SQLite files", "a PostgreSQL database")},
		{Name: "--default-visibility", Value: n.DefaultVisibility},
		{Name: "--undelete-window", Value: of(n.UndeleteWindow)},
		{Name: "--gc-interval", Value: of(n.GCInterval)},
		{Name: "--cleanup-interval", Value: of(n.CleanupInterval)},
		{Name: "--sweep-interval", Value: of(n.SweepInterval)},
		{Name: "--build-log-age", Value: either(n.BuildLogAge == 0, "for ever", of(n.BuildLogAge))},
		{Name: "--builder", Value: either(n.Builds == nil, "off", "on")},
	}
}

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
