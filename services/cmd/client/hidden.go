package client

import (
	"fmt"
	"net/url"
	"strings"
)

// hidden says, for what is not there or may not be seen, what that is and which
// command lists the others. path is the API's, such as
// /api/v1/repositories/acme/app/policy, with its segments escaped. It is empty
// where the path names nothing.
func hidden(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")
	for k, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			segments[k] = plain
		}
	}
	if len(segments) < 2 {
		return ""
	}
	what, within, list := "", segments[2:], ""
	switch name := segments[1]; segments[0] {
	case "users":
		what, list = "user "+name, "users ls"
	case "orgs":
		what, list = "organization "+name, "orgs ls"
	case "namespaces":
		what, list = "user or organization "+name, "orgs ls"
	case "apps":
		what, list = "user or organization "+name, "orgs ls"
		if len(segments) > 2 {
			what, within, list = "application "+name+"/"+segments[2], segments[3:], "apps ls "+name
		}
	case "repositories":
		if len(segments) < 3 {
			return ""
		}
		what, within, list = "repository "+strings.TrimPrefix(name+"/"+segments[2], "library/"), segments[3:], "repos ls"
	default:
		return ""
	}
	if k := len(within) - 1; k > 0 {
		if k%2 == 0 && within[0] != "grants" { // tags, latest and history, but not grants, user and alice
			k--
		}
		return fmt.Sprintf("there is no %s that you may see, or it has nothing named %s; `hubledger %s` lists what you may see", what, within[k], list)
	}
	return fmt.Sprintf("there is no %s that you may see; `hubledger %s` lists what you may see", what, list)
}
