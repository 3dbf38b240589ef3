package server

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
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
	limit := func(n int64, none string) string {
		if n == 0 {
			return none
		}
		return strconv.FormatInt(n, 10)
	}
	public := "that of each request"
	if n.Public != nil {
		public = n.Public.String()
	}
	var trusted []string
	for _, p := range n.Trusted {
		trusted = append(trusted, p.String())
	}
	list := []apitypes.SystemSetting{
		{Name: "--data", Value: n.Data},
		{Name: "--listen", Value: n.Listen},
		{Name: "--public-url", Value: public},
		{Name: "--tls-cert", Value: cmp.Or(n.TLSCert, "none: plain HTTP")},
		{Name: "--tls-key", Value: cmp.Or(n.TLSKey, "none")},
		{Name: "--secrets-key-file", Value: n.SecretsKeyFile},
		{Name: "--trusted-proxies", Value: cmp.Or(strings.Join(trusted, ", "), "none")},
		{Name: "--nats-url", Value: either(n.NATSURL == "", "embedded", "a NATS server")},
		{Name: "--nats-replicas", Value: limit(int64(n.NATSReplicas), "3 on a cluster, 1 on a single server")},
		{Name: "--nats-listen", Value: cmp.Or(n.NATSListen, "off")},
		{Name: "--postgres-url", Value: either(n.PostgresURL == "", "SQLite files", "a PostgreSQL database")},
		{Name: "--services", Value: cmp.Or(strings.Join(n.Config.Services, ", "), "all")},
		{Name: "--log-max-bytes", Value: limit(n.LogMaxBytes, "the free disk space, or no limit with --nats-url")},
		{Name: "--default-visibility", Value: n.DefaultVisibility},
		{Name: "--readme-image-hosts", Value: cmp.Or(strings.Join(n.ReadmeImageHosts, ", "), "none")},
		{Name: "--pull-limit-anonymous", Value: limit(int64(n.PullLimits.Anonymous), "no limit")},
		{Name: "--pull-limit-user", Value: limit(int64(n.PullLimits.User), "no limit")},
		{Name: "--pull-limit-window", Value: of(n.PullLimits.Window)},
		{Name: "--connections-per-network", Value: limit(int64(n.ConnectionsByNetwork), "no limit")},
		{Name: "--requests-at-once", Value: limit(int64(n.Budget.AtOnce), "no limit")},
		{Name: "--memory-budget", Value: limit(n.Budget.Memory, "no limit")},
		{Name: "--log-budget", Value: limit(n.Budget.LogBytes, "no limit")},
		{Name: "--reserve", Value: limit(max(n.Reserve, 0), either(n.Reserve < 0, "none", "the larger of 2 GiB and 5 %"))},
		{Name: "--lease-term", Value: of(n.LeaseTerm)},
		{Name: "--undelete-window", Value: of(n.UndeleteWindow)},
		{Name: "--gc-interval", Value: of(n.GCInterval)},
		{Name: "--cleanup-interval", Value: of(n.CleanupInterval)},
		{Name: "--sweep-interval", Value: of(n.SweepInterval)},
		{Name: "--build-log-age", Value: either(n.BuildLogAge == 0, "for ever", of(n.BuildLogAge))},
		{Name: "--hook-body-age", Value: of(n.HookBodyAge)},
		{Name: "--hook-body-bytes", Value: limit(n.HookBodyBytes, "1 GiB")},
		{Name: "--backup-dir", Value: cmp.Or(n.BackupDir, "none")},
		{Name: "--backup-interval", Value: of(n.BackupInterval)},
		{Name: "--backup-keep", Value: limit(int64(n.BackupKeep), "the last one, and every blob")},
		{Name: "--witness", Value: either(len(n.Witnesses) == 0, "none", strconv.Itoa(len(n.Witnesses)))},
		{Name: "--compose-allow", Value: cmp.Or(strings.Join(n.ComposeAllow, ", "), "none")},
		{Name: "--sbom-scanner", Value: either(n.Scanner == nil, "none", "set")},
		{Name: "--builder", Value: either(n.Builds == nil, "off", "on")},
	}
	return append(list, n.Config.Settings...)
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
