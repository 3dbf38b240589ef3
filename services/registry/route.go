package registry

import (
	"strings"

	"hubledger/services/internal/access"
)

// A route is what a path below /v2/ asks for. Names have slashes, so the last
// components decide (distribution-spec, "Endpoints").
type route struct {
	kind string // "manifests", "blobs", "uploads", "upload", "tags", "referrers", "catalog", "base" or ""
	name string
	ref  string // tag, digest or upload id
	who  access.Principal
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
		return route{kind: "tags", name: name}
	}
	if name, ok := strings.CutSuffix(path, "/blobs/uploads/"); ok {
		return route{kind: "uploads", name: name}
	}
	if name, ok := strings.CutSuffix(path, "/blobs/uploads"); ok {
		return route{kind: "uploads", name: name}
	}
	rest, ref, ok := cutLast(path)
	if !ok {
		return route{}
	}
	for _, kind := range []string{"manifests", "blobs", "referrers"} {
		if name, ok := strings.CutSuffix(rest, "/"+kind); ok {
			return route{kind: kind, name: name, ref: ref}
		}
	}
	if name, ok := strings.CutSuffix(rest, "/blobs/uploads"); ok {
		return route{kind: "upload", name: name, ref: ref}
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
