package registry

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/quota"
)

// A route is what a path below /v2/ names.
type route struct {
	name string
	ref  string // tag, digest or upload id, "" for none
	who  access.Principal
}

// An endpoint is one method of one path (distribution-spec, "Endpoints").
type endpoint struct {
	method, pattern string
	permission      access.Permission
	cost            budget.Cost
	serve           func(s *Registry, w http.ResponseWriter, r *http.Request, to route) error
}

// endpoints is the one table of what is served, what it needs and what it costs.
var endpoints = []endpoint{
	{"GET", "/v2/", access.RegistryUser, budget.Light, (*Registry).base},
	{"GET", "/v2/_catalog", access.RegistryCatalog, budget.List, (*Registry).listRepositories},
	{"GET", "/v2/{name...}/tags/list", access.RepositoryRead, budget.List, (*Registry).listTags},
	{"GET", "/v2/{name...}/referrers/{digest}", access.RepositoryRead, budget.List, (*Registry).listReferrers},
	{"GET", "/v2/{name...}/manifests/{reference}", access.RepositoryRead, budget.Read, (*Registry).getManifest},
	{"PUT", "/v2/{name...}/manifests/{reference}", access.RepositoryWrite, budget.Write, (*Registry).putManifest},
	{"DELETE", "/v2/{name...}/manifests/{reference}", access.RepositoryDelete, budget.Write, (*Registry).deleteManifest},
	{"GET", "/v2/{name...}/blobs/{digest}", access.RepositoryRead, budget.Transfer, (*Registry).getBlob},
	{"DELETE", "/v2/{name...}/blobs/{digest}", access.RepositoryDelete, budget.Write, (*Registry).deleteBlob},
	{"POST", "/v2/{name...}/blobs/uploads/", access.RepositoryWrite, budget.Transfer, (*Registry).beginUpload},
	{"GET", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, budget.Transfer, (*Registry).uploadStatus},
	{"PATCH", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, budget.Transfer, (*Registry).writeUpload},
	{"PUT", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, budget.Transfer, (*Registry).finishUpload},
	{"DELETE", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, budget.Transfer, (*Registry).cancelUpload},
}

// needOf is what a permission asks for on the repository of that name.
func needOf(p access.Permission, name string) access.Need {
	if p == access.RegistryCatalog {
		return access.Need{Catalog: true}
	}
	return access.Need{Repository: name, Level: p.Level()}
}

func (s *Registry) routes() []service.Route {
	routes := make([]service.Route, len(endpoints))
	for k, e := range endpoints {
		routes[k] = service.Route{Method: e.method, Pattern: e.pattern, Permission: e.permission, Cost: e.cost, Serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Docker-Distribution-Api-Version"] = apiVersion
			if err := s.serve(w, r, e); err != nil {
				s.answer(w, r, err)
			}
		}}
	}
	return routes
}

// serve reads and looks up nothing for a request before it is known that it may.
func (s *Registry) serve(w http.ResponseWriter, r *http.Request, e endpoint) (err error) {
	to := route{name: r.PathValue("name"), ref: cmp.Or(r.PathValue("reference"), r.PathValue("digest"), r.PathValue("id"))}
	defer func() { s.countRefusal(r, to, e.permission.Level(), err) }()
	if to.who, err = s.Access.Authorize(r, needOf(e.permission, to.name)); err != nil {
		return err
	}
	if err := budget.Of(r.Context()).Account(to.who); err != nil {
		return err
	}
	// A push takes its place when its manifest has arrived, a read when the cache
	// has no answer.
	if e.cost == budget.Write && e.method != http.MethodPut {
		if err := budget.Of(r.Context()).Work(r.Context()); err != nil {
			return err
		}
	}
	return e.serve(s, w, r, to)
}

// reasonOf says why a request was refused, as an event of it does; "" when it was not, or
// for another reason.
func reasonOf(err error) string {
	var denied *access.Denied
	var full *quota.ExceededError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &denied) && denied.Code == "DENIED":
		return events.RefusedByRights
	case errors.Is(err, image.ErrImmutable):
		return events.RefusedByImmutable
	case errors.As(err, &full):
		return events.RefusedByQuota
	case errors.Is(err, events.ErrNoSpace), errors.Is(err, blobs.ErrNoSpace):
		return events.RefusedBySpace
	}
	return ""
}

// countRefusal counts what was refused to an account on a repository that is there. A HEAD
// is a client's look before it acts: what it then does is counted.
func (s *Registry) countRefusal(r *http.Request, to route, level access.Level, err error) {
	reason := reasonOf(err)
	action := map[access.Level]string{access.Read: "pull", access.Write: "push", access.Delete: "delete"}[level]
	if reason == "" || action == "" || r.Method == http.MethodHead || to.who.Kind != access.User && to.who.Kind != access.Robot {
		return
	}
	name, err := repository.ParseName(to.name)
	if err != nil {
		return
	}
	whole := to.who
	whole.Limit = nil
	may, err := s.Rights.Repository(r.Context(), whole, name.Full)
	if err != nil || may.Repository == nil {
		return
	}
	if reason == events.RefusedByRights && may.Level >= level {
		limited, err := s.Rights.Repository(r.Context(), to.who, name.Full)
		if err != nil || limited.Level >= level {
			return // the client has not asked for that yet, and will
		}
		reason = events.RefusedByToken
	}
	s.refusals.Count(events.RefusalsCounted{Namespace: may.Repository.Namespace, Repository: may.Repository.ID, Account: to.who.ID, Kind: string(to.who.Kind),
		Visible: may.Level >= access.Read, Action: action, Reason: reason}, time.Now())
}

// writeRefusals is the job that writes down what was refused.
func (s *Registry) writeRefusals(ctx context.Context) error {
	err := s.refusals.Write(ctx, time.Now(), func(ctx context.Context, e events.RefusalsCounted) error {
		_, err := command.Append(ctx, s.Log, command.By{Source: "/registry", Actor: "system"}, e, events.AnySeq)
		return err
	})
	if errors.Is(err, events.ErrNoSpace) {
		return nil // they are written when there is space again
	}
	return err
}

// notServed answers in the registry's form (distribution-spec, "Error Codes").
func (s *Registry) notServed(w http.ResponseWriter, r *http.Request, status int, message string) {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	p := fail(status, "NAME_UNKNOWN", "no such endpoint; the registry's API is below /v2/")
	switch {
	case status == http.StatusMethodNotAllowed:
		p = unsupported(status, r.Method+" is not supported here")
	case message != "":
		p = fail(status, cmp.Or(codes[status], "NAME_INVALID"), message)
	}
	s.answer(w, r, p)
}

var apiVersion = []string{"registry/2.0"}

func (s *Registry) base(w http.ResponseWriter, r *http.Request, _ route) error {
	return writeJSON(w, "application/json", struct{}{})
}
