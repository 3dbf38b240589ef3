// Package endpoint does what every request of the hub's APIs needs, whatever form
// its answers have: authentication and permission, budgets of writes, reading
// the body, Idempotency-Keys, and errors.
package endpoint

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/service"
)

// Auth finds out who makes a request, unless access.WithPrincipal has said it.
type Auth interface {
	// Authenticate reads the Authorization of a request; without one it is
	// access.Nobody. Its errors are *access.Denied.
	Authenticate(r *http.Request) (access.Principal, error)
}

// Rights decides who may do what; see package access.
type Rights interface {
	// Live is the principal as it is now; an error when its account or its credential is
	// no longer good.
	Live(ctx context.Context, p access.Principal) (access.Principal, error)
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
}

// KeptAnswers remembers what was answered under an Idempotency-Key; see package
// activity.
type KeptAnswers interface {
	Begin(ctx context.Context, principal, key string, request []byte, now time.Time) (*activity.Answer, *activity.Claim, error)
}

// ReadModels are all that a client may look at next.
type ReadModels interface {
	// Wait returns when every read model has committed the event of that
	// sequence; an error when ctx ends or the event is parked.
	Wait(ctx context.Context, seq uint64) error
	// Look begins a look into all of them.
	Look() command.Look
}

// Config is what endpoints need; all fields are required but those with a
// default and Failures.
type Config struct {
	Auth        Auth
	Rights      Rights
	KeptAnswers KeptAnswers
	ReadModels  ReadModels
	// Leaving ends when the hub is told to stop: answers that go on end then.
	Leaving context.Context
	Logger  *slog.Logger
	// Wait bounds how long an answer waits for the read models. Default 10 s.
	Wait time.Duration
	// Forms: bodies are those of HTML forms instead of JSON. The server refuses forms of
	// other sites before they come here.
	Forms bool
	// Failures are answers to errors of other services.
	Failures []failure.Entry
}

// A Set is the endpoints of a service.
type Set struct {
	Config
	routes []service.Route
}

// New makes an empty set.
func New(c Config) *Set {
	c.Wait = cmp.Or(c.Wait, 10*time.Second)
	return &Set{Config: c}
}

// Sibling is an empty set of another service.
func (s *Set) Sibling() *Set { return &Set{Config: s.Config} }

// Routes lists every endpoint.
func (s *Set) Routes() []service.Route { return s.routes }

// A Refuser writes a refusal in the form that the endpoint's clients know.
type Refuser func(w http.ResponseWriter, r *http.Request, p *Problem)

// AsProblem writes a refusal as a problem of RFC 9457.
func AsProblem(w http.ResponseWriter, r *http.Request, p *Problem) { p.Write(w, r) }

// Add adds an endpoint. Every request goes through these steps, in order:
// authentication, permission, the account's budget, reading the body, a place to
// work in, and the Idempotency-Key.
func (s *Set) Add(rt service.Route, refuse Refuser) {
	serve, streamed := s.lookAgain(rt.Serve), rt.Serve
	rt.Serve = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		c, err := s.admit(r, rt)
		if err == nil {
			r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
			if rt.Streams { // it cannot be served twice
				streamed(w, r)
				return
			}
			err = s.readBody(w, r)
		}
		if err == nil {
			err = budget.Of(r.Context()).Work(r.Context())
		}
		if err == nil {
			err = s.serveOnce(w, r, rt.Permission, serve)
		}
		if err != nil {
			refuse(w, r, s.Problem(r.Context(), r.Pattern, err))
		}
	}
	s.routes = append(s.routes, rt)
}

// admit makes the Call of a request, or says why it is refused.
func (s *Set) admit(r *http.Request, rt service.Route) (*Call, error) {
	if rt.Permission == access.Open {
		return &Call{Request: r}, nil
	}
	p, known := access.PrincipalOf(r.Context())
	if !known {
		var err error
		if p, err = s.Auth.Authenticate(r); err != nil {
			return nil, err
		}
	}
	look := s.Look()
	c, err := s.authorize(r.Context(), p, rt.Permission, r.PathValue)
	if isMissing(err) && look.Missed(r.Context()) {
		c, err = s.authorize(r.Context(), p, rt.Permission, r.PathValue)
	}
	if err != nil {
		return nil, err
	}
	tab := budget.Of(r.Context())
	if err := tab.Account(p); err != nil {
		return nil, err
	}
	if !ReadOnly(r.Method) {
		if err := mayWrite(p); err != nil {
			return nil, err
		}
		// What takes away is free: it was made before, and scripts delete hundreds.
		if r.Method != http.MethodDelete {
			if err := tab.Change(); err != nil {
				return nil, err
			}
		}
	}
	c.Request = r
	return c, nil
}

// Still is an error when the caller of a request that is being served might not make it
// now: the credential is no longer good, or the permission is not there any more.
func (s *Set) Still(ctx context.Context, c *Call, need access.Permission) error {
	p, err := s.Rights.Live(ctx, c.Principal)
	if err == nil {
		_, err = s.authorize(ctx, p, need, c.Request.PathValue)
	}
	return err
}

// ReadOnly says whether a method changes nothing.
func ReadOnly(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// Readable waits until a change can be read back; see command.Wait.
func (s *Set) Readable(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	if err := s.ReadModels.Wait(ctx, seq); err != nil {
		return &command.UnreadableError{Seq: seq, Err: err}
	}
	return nil
}

// NotServed answers a request below the API's paths that no endpoint serves.
func NotServed(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := Fail(status, cmp.Or(message, "there is no such endpoint; /api/v1/openapi.json lists them"))
	if status == http.StatusMethodNotAllowed {
		p = Fail(status, fmt.Sprintf("%.20s is not supported here", r.Method))
	}
	p.Write(w, r)
}
