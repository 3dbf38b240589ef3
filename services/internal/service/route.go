package service

import (
	"cmp"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
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
	// Permission is what the endpoint requires of its callers. The service checks
	// it, and refuses in the form that its clients know. NewRouter refuses a
	// route without one.
	Permission access.Permission
	// Cost is what sort of work a request asks for. NewRouter refuses a route
	// without one.
	Cost budget.Cost
	// Streams says that Serve reads the request's body while it arrives, and bounds it. Other bodies are
	// read before, if they are not too large.
	Streams bool
	// Serve answers a request. Its path values are those of the pattern.
	Serve http.HandlerFunc
}

// NotServed answers a request that no route serves: 404, 405 when the path is
// known (RFC 9110, section 15.5.6), 400 for a path that is no text, or 429 when the
// client has too many requests. message is for people, "" for 404 and 405. Allow and
// Retry-After are set already.
type NotServed func(w http.ResponseWriter, r *http.Request, status int, message string)

// PlainNotServed answers in plain text.
func PlainNotServed(w http.ResponseWriter, r *http.Request, status int, message string) {
	text := cmp.Or(message, "404 page not found")
	if status == http.StatusMethodNotAllowed {
		text = r.Method + " is not supported here"
	}
	http.Error(w, text, status)
}
