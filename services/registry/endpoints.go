package registry

import (
	"cmp"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/service"
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
