// Package dockerhub has endpoints in the shapes of Docker Hub's API, so that
// scripts written for it work with another base URL, and those of docker
// search. Rights and decisions are those of /api/v1.
package dockerhub

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api/browse"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
)

// Logins starts sessions. Refusals are *access.Denied.
type Logins interface {
	// Login checks a login name with its password or access token and starts a
	// session: a bearer token for the hub's API, and when it ends.
	Login(ctx context.Context, r *http.Request, name, secret string) (session string, expires time.Time, err error)
}

// Repositories deletes repositories with what they hold.
type Repositories interface {
	DeleteRepository(ctx context.Context, by command.By, name string) (uint64, error)
}

// Rights decides who may do what; see package access.
type Rights interface {
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	Namespace(ctx context.Context, p access.Principal, name string) (access.Level, *accounts.Namespace, error)
}

// Config is what the endpoints need; all fields are required.
type Config struct {
	Log          command.Log
	Logins       Logins
	Rights       Rights
	Accounts     accounts.Reader
	Catalog      catalog.Reader
	Images       images.Reader
	Repositories Repositories
	Browse       browse.Reader
	Editor       repository.Editor
	// DefaultVisibility of a new repository when none is asked for.
	DefaultVisibility string
}

// Endpoints are those in Docker Hub's shapes.
type Endpoints struct {
	Config
	*endpoint.Set
}

// Register adds the endpoints to a set.
func Register(to *endpoint.Set, c Config) {
	s := &Endpoints{c, to}
	s.registerAccounts()
	s.registerRepositories()
	s.registerTags()
	s.registerSearch()
}

// A handler gives a status and a body, which is nil for none.
type handler func(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (status int, body any, err error)

// add adds an endpoint in Docker Hub's shape.
func (s *Endpoints) add(method, pattern string, need access.Permission, cost budget.Cost, serve handler) {
	s.Add(service.Route{Method: method, Pattern: pattern, Permission: need, Cost: cost, Serve: func(w http.ResponseWriter, r *http.Request) {
		status, body, err := serve(w, r, endpoint.CallOf(r.Context()))
		if err != nil {
			asDockerError(w, r, s.Problem(r.Context(), r.Pattern, err))
			return
		}
		if body == nil {
			w.WriteHeader(status)
			return
		}
		writeJSON(w, r, status, body)
	}}, asDockerError)
}

// onBoth adds an endpoint at the older and the newer address of a repository.
func (s *Endpoints) onBoth(method, rest string, need access.Permission, cost budget.Cost, serve handler) {
	s.add(method, "/v2/repositories/{namespace}/{name...}"+rest, need, cost, serve)
	s.add(method, "/v2/namespaces/{namespace}/repositories/{name...}"+rest, need, cost, serve)
}

// asDockerError writes a problem as Docker Hub writes its errors. Docker Hub has no 422.
func asDockerError(w http.ResponseWriter, r *http.Request, p *endpoint.Problem) {
	if p.Status == http.StatusUnprocessableEntity {
		bad := *p
		bad.Status = http.StatusBadRequest
		p = &bad
	}
	text := p.Detail
	for _, e := range p.Errors {
		text += "; " + e.Location + ": " + e.Message
	}
	p.WriteAs(w, r, "application/json", map[string]any{"message": text, "detail": text, "errinfo": map[string]string{}})
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are made of texts, numbers and times
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(data) // fails only when the client went away
	}
}

// readJSON reads a body and ignores unknown fields.
func readJSON(r *http.Request, into any) error {
	data, err := endpoint.Body(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return endpoint.Fail(http.StatusBadRequest, "the request's body is not the JSON object that is expected here").Because(err)
	}
	return nil
}
