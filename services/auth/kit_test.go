package auth_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/sqlitestore"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/command"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/repository"
	"hubledger/streams"
	"hubledger/streams/secrets"
	"hubledger/streams/streamtest"
)

var by = command.By{Source: "/test", Actor: "tester"}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A hub is a log with its secrets and the accounts projection, and Auth over them.
type hub struct {
	*auth.Auth
	t        testing.TB
	dir      string
	log      *streams.Log
	secrets  *secrets.Bucket
	read     accounts.Reader
	view     *projections.Runner
	rights   *access.Rights
	ops      *operations.Store
	activity *activity.Store
	logged   *syncBuffer
	config   auth.Config
}

// syncBuffer is what was logged.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, dir: t.TempDir(), logged: &syncBuffer{}}
	logger := slog.New(slog.NewTextHandler(h.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx := context.Background()
	h.log = streamtest.OpenConfig(t, streams.Config{Dir: h.dir, Logger: logger})
	var err error
	h.secrets, err = streams.OpenSecrets(ctx, h.log, filepath.Join(h.dir, "secrets.key"))
	check(t, err)
	h.ops, err = operations.Open(ctx, operations.Config{File: filepath.Join(h.dir, operations.FileName)})
	check(t, err)
	h.activity, err = activity.Open(ctx, h.ops)
	check(t, err)
	store, err := sqlitestore.Dir(filepath.Join(h.dir, "projections")).Open(ctx, &accounts.Projection, projections.Options{Logger: logger})
	check(t, err)
	h.read = accounts.Reader{DB: store.DB()}
	h.view = projections.NewRunner(projections.RunnerConfig{Store: store, Source: h.log, Logger: logger,
		OnCommit: func(c projections.Commit) { h.rights.Committed(c, h.view.HasParked()) }})
	h.rights = access.New(access.Config{Read: h.read, View: h.view, Log: h.log, Logger: logger})
	h.config = auth.Config{Log: h.log, Read: h.read, View: h.view, Rights: h.rights, Secrets: h.secrets, Activity: h.activity,
		PasswordFile: filepath.Join(h.dir, "admin.password"), Logger: logger}
	h.Auth = auth.New(h.config).HashCheaply()
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		if err := h.view.Run(running); err != nil {
			t.Errorf("the projection ended: %v", err)
		}
	})
	work.Go(func() { h.rights.Run(running) })
	t.Cleanup(func() {
		stop()
		work.Wait()
		check(t, h.activity.Close())
		check(t, h.ops.Close())
		check(t, store.Close())
	})
	for h.rights.Fresh(ctx) != nil {
		time.Sleep(time.Millisecond)
	}
	return h
}

// done takes the outcome of a command and waits until it shows.
func (h *hub) done(seq uint64, err error) {
	h.t.Helper()
	check(h.t, err)
	check(h.t, h.view.Wait(context.Background(), seq))
}

func (h *hub) made(id string, seq uint64, err error) string {
	h.t.Helper()
	h.done(seq, err)
	return id
}

// user makes a user; with a password unless that is empty.
func (h *hub) user(name, password string) string {
	h.t.Helper()
	id := h.made(account.CreateUser(h.t.Context(), h.log, by, name))
	if password != "" {
		h.done(h.SetPassword(h.t.Context(), by, id, password))
	}
	return id
}

// repository makes one, in a namespace that is there.
func (h *hub) repository(name, visibility string) {
	h.t.Helper()
	ctx := h.t.Context()
	parsed, err := repository.ParseName(name)
	check(h.t, err)
	ns, err := h.read.Namespace(ctx, parsed.Namespace)
	var nsID string
	if err == nil {
		nsID = ns.ID
	} else {
		nsID, err = command.NewID()
		check(h.t, err)
		_, err = command.Append(ctx, h.log, by, events.NamespaceCreated{Namespace: nsID, Name: parsed.Namespace}, 0)
		check(h.t, err)
	}
	id, err := command.NewID()
	check(h.t, err)
	h.done(command.Append(ctx, h.log, by, events.RepositoryCreated{Namespace: nsID, Repository: id, Name: parsed.Full, Visibility: visibility}, 0))
}

// token issues an access token for an account by name.
func (h *hub) token(owner string, want events.TokenIssued) string {
	h.t.Helper()
	a, err := h.read.Account(h.t.Context(), owner)
	check(h.t, err)
	if want.Name == "" {
		want.Name = "test"
	}
	secret, _, seq, err := h.IssueToken(h.t.Context(), by, a, want)
	h.done(seq, err)
	return secret
}

// readPassword is the first administrator's.
func readPassword(t testing.TB, h *hub) string {
	t.Helper()
	text, err := os.ReadFile(h.config.PasswordFile)
	check(t, err)
	return strings.TrimSpace(string(text))
}

func revoke(ctx context.Context, h *hub, namespace, token string) (uint64, error) {
	return account.RevokeToken(ctx, h.log, by, namespace, token)
}

// anyAdmin lets the last administrator be disabled.
type anyAdmin struct{ accounts.Reader }

func (anyAdmin) OtherAdmin(context.Context, string) (bool, error) { return true, nil }

func disable(ctx context.Context, h *hub, user string, disabled bool) (uint64, error) {
	return account.SetStanding(ctx, h.log, by, anyAdmin{}, user, false, disabled)
}

func sameLimit(a, b *access.Limit) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Level == b.Level && (a.Repositories == nil) == (b.Repositories == nil) && slices.Equal(a.Repositories, b.Repositories))
}

func userID(t testing.TB, h *hub, name string) string {
	t.Helper()
	a, err := h.read.Account(t.Context(), name)
	check(t, err)
	return a.ID
}

func firstAdminID(t testing.TB, h *hub) string { return userID(t, h, "admin") }
