// Package servertest runs a whole hub in the process of a test: a server.Node
// wired as in production, on a directory of its own, behind a real listener.
package servertest

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/egress"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
)

// The login of the first administrator, unless Config says another password.
const (
	Admin    = "admin"
	Password = "an administrator's password"
)

// By is who tests act as where they do not send a request.
var By = command.By{Source: "/test", Actor: "tester"}

// A Server is a node that runs, and its HTTP server.
type Server struct {
	*server.Node
	T       testing.TB
	URL     string       // such as http://127.0.0.1:40213
	Handler http.Handler // what is served there
	secret  string       // of the first administrator's token, once Client has made it
}

// Start runs a node and ends it with the test. The fields of c that are zero get
// values for tests: a temporary directory, private repositories, an undelete
// window, a lease term and a sweep interval of an hour, no reserve of disk space, no log output.
func Start(t testing.TB, c server.Config) *Server {
	t.Helper()
	c.Data = cmp.Or(c.Data, t.TempDir())
	c.SecretsKeyFile = cmp.Or(c.SecretsKeyFile, filepath.Join(t.TempDir(), "secrets.key"))
	c.AdminPassword = cmp.Or(c.AdminPassword, Password)
	c.DefaultVisibility = cmp.Or(c.DefaultVisibility, events.Private)
	c.LeaseTerm = cmp.Or(c.LeaseTerm, time.Hour)
	c.UndeleteWindow = cmp.Or(c.UndeleteWindow, time.Hour)
	c.SweepInterval = cmp.Or(c.SweepInterval, time.Hour)
	c.Egress = cmp.Or(c.Egress, &egress.Guard{})
	c.Reserve = cmp.Or(c.Reserve, -1)
	c.Budget = cmp.Or(c.Budget, budget.Default)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	n, err := server.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	h := n.Handler()
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		web.Close()
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &Server{Node: n, T: t, URL: web.URL, Handler: h}
}

// LastSeq is the sequence of the last event in the log.
func (s *Server) LastSeq() uint64 {
	s.T.Helper()
	last, err := s.Log().LastSeq(context.Background())
	if err != nil {
		s.T.Fatal(err)
	}
	return last
}

// Done takes what a command returned and waits until its event can be read. A
// command that failed ends the test.
func (s *Server) Done(seq uint64, err error) {
	s.T.Helper()
	if err == nil {
		err = s.Wait(context.Background(), seq)
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// CatchUp waits until every event in the log can be read.
func (s *Server) CatchUp() {
	s.T.Helper()
	s.Done(s.LastSeq(), nil)
}

// Account finds an account by its login name.
func (s *Server) Account(name string) *accounts.Account {
	s.T.Helper()
	a, err := s.Accounts().Account(context.Background(), name)
	if err != nil {
		s.T.Fatalf("the account %s: %v", name, err)
	}
	return a
}

// Token issues an access token of an account. It is good for these repositories,
// or for all that the account may use.
func (s *Server) Token(owner, level string, repositories ...string) (secret string) {
	s.T.Helper()
	secret, _, seq, err := s.Auth().IssueToken(context.Background(), By, s.Account(owner),
		events.TokenIssued{Name: "test", Level: level, Repositories: repositories})
	s.Done(seq, err)
	return secret
}

// Client pushes and pulls as the first administrator, with an access token. The
// first call appends the event that issues it.
func (s *Server) Client() *registrytest.Client {
	s.T.Helper()
	if s.secret == "" {
		s.secret = s.Token(Admin, events.LevelAdmin)
	}
	client := registrytest.NewClient(s.URL)
	client.User, client.Password = Admin, s.secret
	s.T.Cleanup(client.Close)
	return client
}
