package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/projections/sqlitestore"
	"hubledger/services/api"
	"hubledger/services/auth"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
	"hubledger/services/registry/registrytest"
	"hubledger/streams"
)

var tester = command.By{Source: "/test", Actor: "tester"}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A kit is the hub's API over real parts: a registry with its log, accounts
// and catalog that follow it, and real credentials.
type kit struct {
	t        testing.TB
	reg      *registrytest.Hub
	hub      *api.API
	config   api.Config
	requests endpoint.Config
	auth     *auth.Auth
	read     accounts.Reader
	runners  []*projections.Runner
	tokens   map[string]string // access tokens by login name
	behind   atomic.Bool       // no read model catches up
}

func start(t testing.TB) *kit {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx := context.Background()
	k := &kit{t: t, reg: registrytest.Start(t, registrytest.Config{}), tokens: map[string]string{}}
	dir, log := k.reg.Dir, k.reg.Log
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	var rights *access.Rights
	follow := func(p *projections.Projection, committed func(projections.Commit, bool)) (projections.Store, *projections.Runner) {
		store, err := sqlitestore.Dir(filepath.Join(dir, "projections")).Open(ctx, p, projections.Options{Logger: quiet})
		check(t, err)
		var r *projections.Runner
		r = projections.NewRunner(projections.RunnerConfig{Store: store, Source: log, Logger: quiet,
			OnCommit: func(c projections.Commit) { committed(c, r.HasParked()) }})
		work.Go(func() { r.Run(running) })
		t.Cleanup(func() { stop(); work.Wait(); check(t, store.Close()) })
		return store, r
	}
	ready := make(chan struct{})
	people, peopleRun := follow(&accounts.Projection, func(c projections.Commit, parked bool) { <-ready; rights.Committed(c, parked) })
	found, foundRun := follow(&catalog.Projection, func(projections.Commit, bool) {})
	k.runners = []*projections.Runner{k.reg.Runner, peopleRun, foundRun}
	k.read = accounts.Reader{DB: people.DB()}
	rights = access.New(access.Config{Read: k.read, View: peopleRun, Log: log, Logger: quiet})
	close(ready)
	work.Go(func() { rights.Run(running) })
	secrets, err := streams.OpenSecrets(ctx, log, filepath.Join(dir, "secrets.key"))
	check(t, err)
	activity, err := activity.Open(ctx, k.reg.Ops)
	check(t, err)
	t.Cleanup(func() { check(t, activity.Close()) })
	k.auth = auth.New(auth.Config{Log: log, Read: k.read, View: peopleRun, Rights: rights, Secrets: secrets, Activity: activity, Logger: quiet})
	entries := catalog.Reader{DB: found.DB(), Dialect: projections.SQLite}
	k.requests = endpoint.Config{Auth: k.auth, Rights: rights, KeptAnswers: activity, ReadModels: k, Logger: quiet,
		Conflicts: []error{registry.ErrTooLate, registry.ErrSwept, registry.ErrNothingDeleted}}
	k.config = api.Config{Passwords: k.auth, Tokens: k.auth, Persons: k.auth, Rights: rights, Log: log,
		Accounts: k.read, Catalog: entries, Images: images.Reader{DB: k.reg.Store.DB()}, Registry: k.reg.Registry,
		Cleaner: cleanup.New(cleanup.Config{Log: log, View: k.reg.Runner, Read: images.Reader{DB: k.reg.Store.DB()}, Pulls: pulls{entries},
			Logger: quiet, UndeleteWindow: time.Hour, LeaseTerm: time.Hour}),
		Used: activity, RecentPulls: k, Logger: quiet}
	k.hub = k.newAPI(k.config)
	for rights.Fresh(ctx) != nil {
		time.Sleep(time.Millisecond)
	}
	return k
}

// newAPI makes the API anew, with a document of its own.
func (k *kit) newAPI(c api.Config) *api.API {
	c.API = openapi.New(endpoint.New(k.requests), "dev")
	return api.New(c)
}

// Wait waits for every read model.
func (k *kit) Wait(ctx context.Context, seq uint64) error {
	if k.behind.Load() {
		return context.DeadlineExceeded
	}
	var errs []error
	for _, r := range k.runners {
		errs = append(errs, r.Wait(ctx, seq))
	}
	return errors.Join(errs...)
}

// done takes the outcome of a command and waits until it shows.
func (k *kit) done(seq uint64, err error) {
	k.t.Helper()
	check(k.t, err)
	check(k.t, k.Wait(context.Background(), seq))
}

func (k *kit) made(id string, seq uint64, err error) string {
	k.t.Helper()
	k.done(seq, err)
	return id
}

// user makes a user with an access token that is good for all.
func (k *kit) user(name string) string {
	k.t.Helper()
	id := k.made(account.CreateUser(context.Background(), k.reg.Log, tester, name))
	k.token(name, name, events.LevelAdmin)
	return id
}

// token makes an access token and keeps it under a name.
func (k *kit) token(as, owner, level string, repositories ...string) {
	k.t.Helper()
	a, err := k.read.Account(context.Background(), owner)
	check(k.t, err)
	secret, _, seq, err := k.auth.IssueToken(context.Background(), tester, a, events.TokenIssued{Name: "test", Level: level, Repositories: repositories})
	k.done(seq, err)
	k.tokens[as] = secret
}

// repository makes one in a namespace that is there.
func (k *kit) repository(name, visibility string) repository.ID {
	k.t.Helper()
	parsed, err := repository.ParseName(name)
	check(k.t, err)
	id, err := repository.Ensure(context.Background(), k.reg.Log, tester, parsed, visibility)
	check(k.t, err)
	k.done(k.reg.LastSeq(), nil)
	return id
}

// An answer to a request.
type answer struct {
	*httptest.ResponseRecorder
	t testing.TB
}

// into decodes the body.
func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%d: %v in %s", a.Code, err, a.Body)
	}
}

// want ends the test unless the status is one of these.
func (a answer) want(codes ...int) answer {
	a.t.Helper()
	for _, code := range codes {
		if a.Code == code {
			return a
		}
	}
	a.t.Fatalf("%d, want %v: %s", a.Code, codes, a.Body)
	return a
}

// do sends a request as somebody: "" is nobody, "operator" comes by the admin
// socket, others come by their access token.
func (k *kit) do(as, method, path string, body any, header ...string) answer {
	k.t.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		sent = bytes.NewBufferString(b)
	default:
		data, err := json.Marshal(b)
		check(k.t, err)
		sent = bytes.NewReader(data)
	}
	r := httptest.NewRequest(method, path, sent)
	if sent != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case as == "operator":
		r = r.WithContext(access.WithPrincipal(r.Context(), access.Operates))
	case as != "":
		secret, ok := k.tokens[as]
		if !ok {
			k.t.Fatalf("nobody is called %s", as)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	router, err := service.NewRouter([]service.Service{k.hub.Service()}, endpoint.NotServed)
	check(k.t, err)
	router.ServeHTTP(w, r)
	return answer{w, k.t}
}

type object = map[string]any

// filesWith lists the files of the data directory that have a text.
func (k *kit) filesWith(text string) (list []string) {
	k.t.Helper()
	check(k.t, filepath.WalkDir(k.reg.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			list = append(list, path)
		}
		return err
	}))
	return list
}
