package client

import (
	"net/url"
	"strings"
)

// Path joins segments to a path of the API; it escapes each of them.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// Paged is the query of a list with pages, which asks for large ones. Lists
// without pages refuse it.
func Paged() url.Values { return url.Values{"limit": {"100"}} }

// AsOf is Paged as of a point in time as people write it; "" is now.
func AsOf(when string) url.Values {
	q := Paged()
	if when != "" {
		q.Set("as_of", when)
	}
	return q
}

// topLevel begins the full names of repositories that are written without a namespace.
const topLevel = "library/"

// RepositoryPath is the API's path of a repository. The namespace is one segment, the
// rest of the name another. Top-level images are in the namespace library.
func RepositoryPath(name string) string {
	if !strings.Contains(name, "/") {
		name = topLevel + name
	}
	namespace, rest, _ := strings.Cut(name, "/")
	return Path("repositories", namespace, rest)
}
