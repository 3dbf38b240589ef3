package access_test

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/pgstore"
	"hubledger/projections/pgtest"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

var by = command.By{Source: "/test", Actor: "tester"}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A hub is a log, the accounts projection of it that runs, and Rights over that.
type hub struct {
	*access.Rights
	t      testing.TB
	log    *streams.Log
	view   *hooked
	read   accounts.Reader
	asked  atomic.Int64 // queries of Rights
	latest uint64       // sequence of the last event
}

// hooked calls a function, if there is one, whenever Rights asks whether
// anything is parked.
type hooked struct {
	*projections.Runner
	hook func()
}

func (v *hooked) HasParked() bool {
	if v.hook != nil {
		v.hook()
	}
	return v.Runner.HasParked()
}

// counted counts queries.
type counted struct {
	*sql.DB
	n *atomic.Int64
}

func (c counted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.n.Add(1)
	return c.DB.QueryContext(ctx, query, args...)
}

func (c counted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.n.Add(1)
	return c.DB.QueryRowContext(ctx, query, args...)
}

func start(t testing.TB, place projections.Storage) *hub {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := &hub{t: t, log: streamtest.Open(t, "")}
	store, err := place.Open(context.Background(), &accounts.Projection, projections.Options{Logger: quiet})
	check(t, err)
	h.read = accounts.Reader{DB: store.DB()}
	h.view = &hooked{}
	h.view.Runner = projections.NewRunner(projections.RunnerConfig{Store: store, Source: h.log, Logger: quiet,
		OnCommit: func(c projections.Commit) { h.Committed(c, h.view.Runner.HasParked()) }})
	h.Rights = access.New(access.Config{Read: accounts.Reader{DB: counted{store.DB(), &h.asked}}, View: h.view, Log: h.log, Logger: quiet})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.view.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the projection ended: %v", err)
		}
		check(t, store.Close())
	})
	return h
}

// onEach runs a test over SQLite and over PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Run("sqlite", func(t *testing.T) { test(t, start(t, sqlitestore.Dir(t.TempDir()))) })
	t.Run("postgres", func(t *testing.T) { test(t, start(t, pgstore.URL(postgres.URL(t)))) })
}

// done takes the outcome of a command that made no id. wait makes it seen.
func (h *hub) done(seq uint64, err error) {
	h.t.Helper()
	check(h.t, err)
	h.latest = max(h.latest, seq)
}

// made takes the outcome of a command that made an id.
func (h *hub) made(id string, seq uint64, err error) string {
	h.t.Helper()
	h.done(seq, err)
	return id
}

func (h *hub) wait() {
	h.t.Helper()
	check(h.t, h.view.Wait(h.t.Context(), h.latest))
}

func (h *hub) append(p events.Payload) {
	h.t.Helper()
	h.done(command.Append(h.t.Context(), h.log, by, p, events.AnySeq))
}

func (h *hub) user(name string) access.Principal {
	h.t.Helper()
	id := h.made(account.CreateUser(h.t.Context(), h.log, by, name))
	return access.Principal{Kind: access.User, ID: id, Name: name}
}

func (h *hub) organization(name string, owner access.Principal) string {
	h.t.Helper()
	return h.made(account.CreateOrganization(h.t.Context(), h.log, by, name, owner.ID))
}

func (h *hub) robot(organization, name string) access.Principal {
	h.t.Helper()
	id := h.made(account.CreateRobot(h.t.Context(), h.log, by, organization, name, ""))
	return access.Principal{Kind: access.Robot, ID: id, Name: "+" + name}
}

func (h *hub) join(organization, group string, who access.Principal, role string) {
	h.t.Helper()
	h.done(account.GrantMembership(h.t.Context(), h.log, by, organization, group, who.ID, role))
}

// team makes a team with one member, who becomes one of the organization.
func (h *hub) team(organization, name string, who access.Principal) string {
	h.t.Helper()
	id := h.made(account.CreateTeam(h.t.Context(), h.log, by, organization, name, ""))
	h.join(organization, organization, who, events.RoleMember)
	h.join(organization, id, who, events.RoleMember)
	return id
}

func (h *hub) repository(namespace, name, visibility string) string {
	h.t.Helper()
	id := newID(h.t)
	h.append(events.RepositoryCreated{Namespace: namespace, Repository: id, Name: name, Visibility: visibility})
	return id
}

func (h *hub) grant(namespace, repository, kind, grantee, role string) {
	h.t.Helper()
	h.done(account.GiveGrant(h.t.Context(), h.log, by, events.GrantGiven{
		Namespace: namespace, Repository: repository, Grantee: grantee, GranteeKind: kind, Role: role}))
}

func newID(t testing.TB) string {
	t.Helper()
	id, err := command.NewID()
	check(t, err)
	return id
}
