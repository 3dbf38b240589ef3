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

// RepositoryPath is the API's path of a repository. The namespace is one segment, the
// rest of the name another. Top-level images are in the namespace library.
func RepositoryPath(name string) string {
	namespace, rest, ok := strings.Cut(name, "/")
	if !ok {
		namespace, rest = "library", name
	}
	return Path("repositories", namespace, rest)
}
