package registry

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/access"
)

// A demand is what one endpoint asks of whoever calls it. The zero demand is
// one that was forgotten: such an endpoint is open to nobody.
type demand uint8

const (
	undeclared demand = iota
	somebody          // docker login asks for nothing else
	listsNames
	reads
	writes
	deletes
)

// of is the need of a request for that repository.
func (d demand) of(name string) access.Need {
	switch d {
	case listsNames:
		return access.Need{Catalog: true}
	case reads:
		return access.Need{Repository: name, Level: access.Read}
	case writes:
		return access.Need{Repository: name, Level: access.Write}
	case deletes:
		return access.Need{Repository: name, Level: access.Delete}
	}
	return access.Need{}
}

// An endpoint is one method of one kind of route.
type endpoint struct {
	needs demand
	serve func(s *Registry, w http.ResponseWriter, r *http.Request, to route) error
}

// A resource is all that can be done with one kind of route. HEAD is GET
// without its body.
type resource struct {
	pattern string
	methods map[string]endpoint
}

// resources is the one table of what is served and what it needs.
var resources = map[string]resource{
	"base": {"/v2/", map[string]endpoint{
		"GET": {somebody, (*Registry).base},
	}},
	"catalog": {"/v2/_catalog", map[string]endpoint{
		"GET": {listsNames, (*Registry).listRepositories},
	}},
	"tags": {"/v2/{name}/tags/list", map[string]endpoint{
		"GET": {reads, (*Registry).listTags},
	}},
	"referrers": {"/v2/{name}/referrers/{digest}", map[string]endpoint{
		"GET": {reads, (*Registry).listReferrers},
	}},
	"manifests": {"/v2/{name}/manifests/{reference}", map[string]endpoint{
		"GET":    {reads, (*Registry).getManifest},
		"PUT":    {writes, (*Registry).putManifest},
		"DELETE": {deletes, (*Registry).deleteManifest},
	}},
	"blobs": {"/v2/{name}/blobs/{digest}", map[string]endpoint{
		"GET":    {reads, (*Registry).getBlob},
		"DELETE": {deletes, (*Registry).deleteBlob},
	}},
	"uploads": {"/v2/{name}/blobs/uploads/", map[string]endpoint{
		"POST": {writes, (*Registry).beginUpload},
	}},
	"upload": {"/v2/{name}/blobs/uploads/{id}", map[string]endpoint{
		"GET":    {writes, (*Registry).uploadStatus},
		"PATCH":  {writes, (*Registry).writeUpload},
		"PUT":    {writes, (*Registry).finishUpload},
		"DELETE": {writes, (*Registry).cancelUpload},
	}},
}

// A Route is one endpoint and what a request to it has to be allowed.
type Route struct {
	Method  string
	Pattern string      // such as /v2/{name}/tags/list, where a name has slashes
	Need    access.Need // its Repository is "{name}" as in the pattern; zero for /v2/ only
}

// Routes lists every endpoint, ordered by pattern and method.
func Routes() []Route {
	var list []Route
	for _, res := range resources {
		for _, method := range res.allowed() {
			list = append(list, Route{method, res.pattern, res.endpoint(method).needs.of("{name}")})
		}
	}
	slices.SortFunc(list, func(a, b Route) int {
		if c := strings.Compare(a.Pattern, b.Pattern); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return list
}

func (res resource) endpoint(method string) endpoint {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return res.methods[method]
}

// allowed lists the methods of a kind (RFC 9110, section 15.5.6).
func (res resource) allowed() []string {
	var methods []string
	for method := range res.methods {
		methods = append(methods, method)
	}
	slices.Sort(methods)
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	return methods
}

// ServeHTTP serves /v2/. Nothing is read or looked up for a request before it
// is known that it may.
func (s *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := parseRoute(r.URL.Path)
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	if err := s.dispatch(w, r, to); err != nil {
		s.answer(w, r, err)
	}
}

var apiVersion = []string{"registry/2.0"}

func (s *Registry) dispatch(w http.ResponseWriter, r *http.Request, to route) (err error) {
	if to.kind == "" {
		return fail(http.StatusNotFound, "NAME_UNKNOWN", "no such endpoint; the registry's API is below /v2/")
	}
	res := resources[to.kind]
	e := res.endpoint(r.Method)
	switch {
	case e.serve == nil:
		w.Header().Set("Allow", strings.Join(res.allowed(), ", "))
		return unsupported(http.StatusMethodNotAllowed, r.Method+" is not supported here")
	case e.needs == undeclared:
		return errors.New(r.Method + " " + res.pattern + " declares no need")
	}
	if to.who, err = s.Access.Authorize(r, e.needs.of(to.name)); err != nil {
		return err
	}
	return e.serve(s, w, r, to)
}

func (s *Registry) base(w http.ResponseWriter, r *http.Request, _ route) error {
	return writeJSON(w, "application/json", struct{}{})
}
