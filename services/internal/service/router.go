package service

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/failure"
	"hubledger/services/internal/origin"
)

// A Router hands requests to the routes of services.
//
// If several patterns match a path, the router takes the one that begins with
// more literal components, then the one with more components after its
// {name...}, so that name is as short as possible. It passes over patterns
// without the request's method, but not to one that only has names where that
// pattern has literals: GET /blobs/uploads is not GET /blobs/{digest}.
type Router struct {
	all       []*endpoint // in the order in which they are tried
	endpoints map[start][]*endpoint
	otherwise NotServed
	// Limits bounds what clients take; nil: nothing is bounded. It is set before
	// the first request.
	Limits *budget.Limits
}

// An endpoint is a pattern with its methods.
type endpoint struct {
	*pattern
	methods   map[string]*Route
	notServed NotServed
}

// NewRouter makes the router of services. It refuses a route that declares no
// permission or no cost, and two routes with one method and pattern. otherwise answers for
// paths that belong to no service; nil answers in plain text.
func NewRouter(services []Service, otherwise NotServed) (*Router, error) {
	if otherwise == nil {
		otherwise = PlainNotServed
	}
	router, known := &Router{endpoints: map[start][]*endpoint{}, otherwise: otherwise}, map[string]*endpoint{}
	for _, s := range services {
		notServed := s.NotServed
		if notServed == nil {
			notServed = PlainNotServed
		}
		for k := range s.Routes {
			route := &s.Routes[k]
			p, err := parsePattern(route.Pattern)
			switch {
			case err != nil:
				return nil, fmt.Errorf("service %s: %w", s.Name, err)
			case route.Permission == access.Undeclared:
				return nil, fmt.Errorf("service %s: %s %s declares no permission", s.Name, route.Method, route.Pattern)
			case route.Cost == budget.Undeclared:
				return nil, fmt.Errorf("service %s: %s %s declares no cost", s.Name, route.Method, route.Pattern)
			}
			e := known[route.Pattern]
			if e == nil {
				e = &endpoint{pattern: p, methods: map[string]*Route{}, notServed: notServed}
				known[route.Pattern], router.all = e, append(router.all, e)
			}
			if e.methods[route.Method] != nil {
				return nil, fmt.Errorf("service %s: %s %s is declared twice", s.Name, route.Method, route.Pattern)
			}
			e.methods[route.Method] = route
		}
	}
	slices.SortStableFunc(router.all, func(a, b *endpoint) int {
		return cmp.Or(cmp.Compare(b.literals(), a.literals()), cmp.Compare(len(b.tail), len(a.tail)), cmp.Compare(len(b.head), len(a.head)), cmp.Compare(b.allLiterals(), a.allLiterals()))
	})
	for _, e := range router.all {
		router.endpoints[e.start()] = nil
	}
	for s := range router.endpoints {
		for _, e := range router.all {
			if e.start() == s || e.start() == (start{s[0]}) {
				router.endpoints[s] = append(router.endpoints[s], e)
			}
		}
	}
	return router, nil
}

// maxURL bounds the path and query of a request, in bytes. The longest honest one is
// that for a token for many repositories.
const maxURL = 8 << 10

// ServeHTTP hands a request to the route that serves it.
func (router *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxURL {
		http.Error(w, fmt.Sprintf("the address is longer than %d bytes", maxURL), http.StatusRequestURITooLong)
		return
	}
	var room [12]string // enough for most paths
	path := componentsOf(room[:0], r)
	if strings.HasSuffix(r.URL.Path, "/") && !router.knows(path) {
		path = append(path, "") // the last part is there and empty
	}
	if r.URL.RawPath != "" && !router.knows(path) {
		if decoded := components(nil, r.URL.Path); router.knows(decoded) {
			path = decoded // slashes between components may be written as %2F, too
		}
	}
	if !isText(r.URL) {
		notServed, _ := router.refusal(path)
		notServed(w, r, http.StatusBadRequest, "the address is not UTF-8 text without null characters")
		return
	}
	if e, route := router.find(path, r.Method); route != nil {
		router.serve(w, r, e, route, path)
		return
	}
	notServed, allow := router.refusal(path)
	if allow == "" {
		notServed(w, r, http.StatusNotFound, "")
		return
	}
	w.Header().Set("Allow", allow)
	notServed(w, r, http.StatusMethodNotAllowed, "")
}

// serve opens the request's tab, or works on the one that it has, and lets its route
// serve it.
func (router *Router) serve(w http.ResponseWriter, r *http.Request, e *endpoint, route *Route, path []string) {
	tab, done, err := router.tab(r, route.Cost)
	if err != nil {
		f := failure.Of(err)
		w.Header().Set("Retry-After", failure.Seconds(f.RetryAfter))
		e.notServed(w, r, f.Status, f.Message)
		return
	}
	defer done()
	if tab != nil {
		r = r.WithContext(budget.With(r.Context(), tab))
		if a, ok := w.(Answers); ok {
			a.Charge(tab)
		}
	}
	e.setValues(r, path)
	route.Serve(w, r)
}

// tab opens the tab of a request; nil when it has none, or is a part of another request,
// whose tab it then works on.
func (router *Router) tab(r *http.Request, cost budget.Cost) (tab *budget.Tab, done func(), err error) {
	if router.Limits == nil {
		done, err = budget.Of(r.Context()).Part(r.Context(), cost)
		return nil, done, err
	}
	tab, err = router.Limits.Open(origin.Of(r).Addr, cost)
	return tab, tab.Close, err
}

// Answers is a ResponseWriter that is told whose request it answers, so that the
// request's place is given back when its answer begins.
type Answers interface{ Charge(tab *budget.Tab) }

func (router *Router) find(path []string, method string) (*endpoint, *Route) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var passed *endpoint
	for _, e := range router.candidates(path) {
		if !e.match(path) || passed != nil && passed.sameShape(e.pattern) {
			continue
		}
		if route := e.methods[method]; route != nil {
			return e, route
		}
		passed = e
	}
	return nil, nil
}

// knows says whether any pattern matches a path.
// Serves says whether a route of these services has the path of a request, for any method.
func (router *Router) Serves(r *http.Request) bool { return router.knows(componentsOf(nil, r)) }

func (router *Router) knows(path []string) bool {
	for _, e := range router.candidates(path) {
		if e.match(path) {
			return true
		}
	}
	return false
}

// A start is the first two literals of a pattern, of which the second may be
// missing.
type start [2]string

// candidates are the endpoints that a path may belong to, in their order.
func (router *Router) candidates(path []string) []*endpoint {
	var s start
	copy(s[:], path)
	if list, ok := router.endpoints[s]; ok {
		return list
	}
	return router.endpoints[start{s[0]}]
}

// methods that a route may have, in the order in which Allow lists them.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// refusal says how a path that is not served is answered, and which methods it
// has. The form is that of the service whose pattern is closest to the path.
func (router *Router) refusal(path []string) (form NotServed, allow string) {
	form, has, closest := router.otherwise, map[string]bool{}, -1
	var passed *endpoint
	for _, e := range router.all {
		if e.match(path) && (passed == nil || !passed.sameShape(e.pattern)) {
			passed = e
			for method := range e.methods {
				has[method] = true
			}
			has[http.MethodHead] = has[http.MethodGet]
		}
		if n := e.closeness(path); n > closest && n > 1 {
			form, closest = e.notServed, n
		}
	}
	var list []string
	for _, method := range methods {
		if has[method] {
			list = append(list, method)
		}
	}
	return form, strings.Join(list, ", ")
}
