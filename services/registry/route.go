package registry

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A route is what a path below /v2/ asks for. Names have slashes, so the last
// components decide (distribution-spec, "Endpoints").
type route struct {
	kind string // "manifests", "blobs", "uploads", "upload", "tags", "referrers", "catalog", "base" or ""
	name string
	ref  string // tag, digest or upload id
}

func parseRoute(path string) route {
	switch path {
	case "/v2/", "/v2":
		return route{kind: "base"}
	case "/v2/_catalog":
		return route{kind: "catalog"}
	}
	path, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return route{}
	}
	if name, ok := strings.CutSuffix(path, "/tags/list"); ok {
		return route{"tags", name, ""}
	}
	if name, ok := strings.CutSuffix(path, "/blobs/uploads/"); ok {
		return route{"uploads", name, ""}
	}
	if name, ok := strings.CutSuffix(path, "/blobs/uploads"); ok {
		return route{"uploads", name, ""}
	}
	rest, ref, ok := cutLast(path)
	if !ok {
		return route{}
	}
	for _, kind := range []string{"manifests", "blobs", "referrers"} {
		if name, ok := strings.CutSuffix(rest, "/"+kind); ok {
			return route{kind, name, ref}
		}
	}
	if name, ok := strings.CutSuffix(rest, "/blobs/uploads"); ok {
		return route{"upload", name, ref}
	}
	return route{}
}

func cutLast(path string) (before, after string, ok bool) {
	k := strings.LastIndexByte(path, '/')
	if k < 0 {
		return "", "", false
	}
	return path[:k], path[k+1:], true
}

// handler is a request that may fail.
type handler func(w http.ResponseWriter, r *http.Request, to route) error

// handlers says who serves a method of a kind. HEAD is GET without its body.
func (s *Registry) handlers(kind string) map[string]handler {
	switch kind {
	case "base":
		return map[string]handler{"GET": s.base}
	case "catalog":
		return map[string]handler{"GET": s.listRepositories}
	case "tags":
		return map[string]handler{"GET": s.listTags}
	case "referrers":
		return map[string]handler{"GET": s.listReferrers}
	case "manifests":
		return map[string]handler{"GET": s.getManifest, "PUT": s.putManifest, "DELETE": s.deleteManifest}
	case "blobs":
		return map[string]handler{"GET": s.getBlob, "DELETE": s.deleteBlob}
	case "uploads":
		return map[string]handler{"POST": s.beginUpload}
	case "upload":
		return map[string]handler{"GET": s.uploadStatus, "PATCH": s.writeUpload, "PUT": s.finishUpload, "DELETE": s.cancelUpload}
	}
	return nil
}

// ServeHTTP serves /v2/.
func (s *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := parseRoute(r.URL.Path)
	h := s.serve(to.kind, r.Method)
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	if h == nil {
		if to.kind != "" {
			w.Header().Set("Allow", s.allowed(to.kind))
		}
		s.answer(w, r, s.refuse(to, r.Method))
		return
	}
	if err := h(w, r, to); err != nil {
		s.answer(w, r, err)
	}
}

var apiVersion = []string{"registry/2.0"}

// serve is the hot way through handlers, without the map.
func (s *Registry) serve(kind, method string) handler {
	if method == http.MethodGet || method == http.MethodHead {
		switch kind {
		case "manifests":
			return s.getManifest
		case "blobs":
			return s.getBlob
		}
		method = http.MethodGet
	}
	return s.handlers(kind)[method]
}

// allowed lists the methods of a kind (RFC 9110, section 15.5.6).
func (s *Registry) allowed(kind string) string {
	methods := slices.Sorted(maps.Keys(s.handlers(kind)))
	if slices.Contains(methods, "GET") {
		methods = append(methods, "HEAD")
	}
	return strings.Join(methods, ", ")
}

func (s *Registry) refuse(to route, method string) error {
	if to.kind == "" {
		return fail(http.StatusNotFound, "NAME_UNKNOWN", "no such endpoint; the registry's API is below /v2/")
	}
	return unsupported(http.StatusMethodNotAllowed, method+" is not supported here")
}

func (s *Registry) base(w http.ResponseWriter, r *http.Request, _ route) error {
	return writeJSON(w, "application/json", struct{}{})
}
