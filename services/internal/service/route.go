package service

import (
	"net/http"

	"hubledger/services/internal/access"
)

// A Route is one endpoint of a service.
type Route struct {
	// Method is an HTTP method. GET serves HEAD, too.
	Method string
	// Pattern is a path such as /api/v1/users/{user}. {name} is one component
	// of the path. {name...} is one or more of them: it may stand once, also in
	// the middle, as in /v2/{name...}/tags/list. A slash at the end of a path
	// or pattern does not count.
	Pattern string
	// Permission is what the endpoint asks of whoever calls it. The service
	// checks it, in the form that its clients know; a route without one is not
	// served to anybody.
	Permission access.Permission
	// Serve answers; the parts of the path are the request's path values.
	Serve http.HandlerFunc
}

// NotServed answers a request that no route serves: 404, or 405 with the
// methods that there are (RFC 9110, section 15.5.6) when the path is known.
type NotServed func(w http.ResponseWriter, r *http.Request, status int, allow string)

func plainNotServed(w http.ResponseWriter, r *http.Request, status int, allow string) {
	text := "404 page not found"
	if status == http.StatusMethodNotAllowed {
		text = r.Method + " is not supported here"
	}
	http.Error(w, text, status)
}
