package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

var sequence = regexp.MustCompile(`^#?[0-9][0-9,]{0,24}$`)

// find leads to the one thing that a text names; else it shows what was found.
func (p *pages) find(v *frame.Visit) (any, error) {
	q := strings.TrimSpace(v.Query("q"))
	if rest, ok := strings.CutPrefix(q, v.URL()+"/"); ok { // the address of a page
		return nil, v.Lead(frame.Local("/"+rest, "/"))
	}
	q = strings.TrimPrefix(strings.TrimLeft(strings.TrimPrefix(q, "docker pull "), "/"), v.Host()+"/")
	switch {
	case q == "":
		return nil, v.Lead("/catalog")
	case sequence.MatchString(q):
		return nil, v.Lead("/events/" + strings.NewReplacer(",", "", "#", "").Replace(q))
	}
	name, tag, _ := strings.Cut(q, ":")
	name, digest, _ := strings.Cut(name, "@")
	if digest != "" {
		digest, tag = digest+":"+tag, ""
	}
	if !strings.Contains(name, "/") {
		name = "library/" + name
	}
	var problem *endpoint.Problem
	repo, err := frame.Get[apitypes.RepositoryDetails](v, frame.Path("repositories", name), nil)
	switch {
	case err == nil && digest != "":
		return nil, v.Lead(frame.RepoPage(repo.Name) + "/-/images/" + url.PathEscape(digest))
	case err == nil && tag != "":
		return nil, v.Lead(frame.RepoPage(repo.Name) + "/-/tags/" + url.PathEscape(tag))
	case err == nil:
		return nil, v.Lead(frame.RepoPage(repo.Name))
	case !errors.As(err, &problem) || problem.Status != http.StatusNotFound && problem.Status != http.StatusUnprocessableEntity:
		return nil, err
	}
	return frame.Get[apitypes.List[apitypes.Repository]](v, "/search", url.Values{"q": {q[:min(len(q), 200)]}})
}
