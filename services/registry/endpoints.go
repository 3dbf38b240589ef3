package registry

import (
	"cmp"
	"net/http"

	"hubledger/services/internal/access"
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
	serve           func(s *Registry, w http.ResponseWriter, r *http.Request, to route) error
}

// endpoints is the one table of what is served and what it needs.
var endpoints = []endpoint{
	{"GET", "/v2/", access.RegistryUser, (*Registry).base},
	{"GET", "/v2/_catalog", access.RegistryCatalog, (*Registry).listRepositories},
	{"GET", "/v2/{name...}/tags/list", access.RepositoryRead, (*Registry).listTags},
	{"GET", "/v2/{name...}/referrers/{digest}", access.RepositoryRead, (*Registry).listReferrers},
	{"GET", "/v2/{name...}/manifests/{reference}", access.RepositoryRead, (*Registry).getManifest},
	{"PUT", "/v2/{name...}/manifests/{reference}", access.RepositoryWrite, (*Registry).putManifest},
	{"DELETE", "/v2/{name...}/manifests/{reference}", access.RepositoryDelete, (*Registry).deleteManifest},
	{"GET", "/v2/{name...}/blobs/{digest}", access.RepositoryRead, (*Registry).getBlob},
	{"DELETE", "/v2/{name...}/blobs/{digest}", access.RepositoryDelete, (*Registry).deleteBlob},
	{"POST", "/v2/{name...}/blobs/uploads/", access.RepositoryWrite, (*Registry).beginUpload},
	{"GET", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, (*Registry).uploadStatus},
	{"PATCH", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, (*Registry).writeUpload},
	{"PUT", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, (*Registry).finishUpload},
	{"DELETE", "/v2/{name...}/blobs/uploads/{id}", access.RepositoryWrite, (*Registry).cancelUpload},
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
		routes[k] = service.Route{Method: e.method, Pattern: e.pattern, Permission: e.permission, Serve: func(w http.ResponseWriter, r *http.Request) {
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
	return e.serve(s, w, r, to)
}

// notServed answers in the registry's form (distribution-spec, "Error Codes").
func (s *Registry) notServed(w http.ResponseWriter, r *http.Request, status int, _ string) {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	p := fail(status, "NAME_UNKNOWN", "no such endpoint; the registry's API is below /v2/")
	if status == http.StatusMethodNotAllowed {
		p = unsupported(status, r.Method+" is not supported here")
	}
	s.answer(w, r, p)
}

var apiVersion = []string{"registry/2.0"}

func (s *Registry) base(w http.ResponseWriter, r *http.Request, _ route) error {
	return writeJSON(w, "application/json", struct{}{})
}
