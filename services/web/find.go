package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/eventquery"
	"hubledger/services/web/frame"
)

var (
	sequence  = regexp.MustCompile(`^#?[0-9][0-9,]{0,13}$`)
	id        = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	namespace = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,199}$`)
	tagName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// A found is what a text may mean, where it names no one thing.
type found struct {
	Images []apitypes.EventPart // those that have the digest, or are of the commit
	Events string               // the filter by which the audit log shows what names it
	apitypes.List[apitypes.Repository]
}

// find leads to the one thing that a text names; else it shows what was found.
func (p *pages) find(v *frame.Visit) (any, error) {
	q := strings.TrimSpace(v.Query("q"))
	if rest, ok := strings.CutPrefix(q, v.URL()+"/"); ok { // the address of a page
		return nil, v.Lead(frame.Local("/"+rest, "/"))
	}
	q = strings.TrimPrefix(strings.TrimLeft(strings.TrimPrefix(q, "docker pull "), "/"), v.Host()+"/")
	if q == "" {
		return nil, v.Lead("/catalog")
	}
	// A digest may begin with digits only: from twelve on they are no number of an event.
	if n := strings.NewReplacer(",", "", "#", "").Replace(q); sequence.MatchString(q) && len(n) < 12 {
		return nil, v.Lead("/events/" + n)
	}
	for _, look := range []func(v *frame.Visit, q string) (string, error){findTagHere, findRepository, findID, findNamespace} {
		if to, err := look(v, q); err != nil {
			return nil, err
		} else if to != "" {
			return nil, v.Lead(to)
		}
	}
	var f found
	for _, name := range []string{"digest", "commit"} {
		if err := f.named(v, eventquery.Term{Name: name, Value: strings.ToLower(q)}); err != nil {
			return nil, err
		}
		if len(f.Images) == 1 {
			return nil, v.Lead(frame.Reference(f.Images[0]))
		}
		if len(f.Images) > 1 {
			return f, nil
		}
	}
	list, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/search", url.Values{"q": {q[:min(len(q), 200)]}})
	f.List = list
	return f, err
}

// findTagHere finds a tag of the repository from whose page the text was asked for.
func findTagHere(v *frame.Visit, q string) (string, error) {
	repo := v.Query("at")
	if !strings.Contains(repo, "/") || !tagName.MatchString(q) {
		return "", nil
	}
	_, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", repo, "tags", q), nil)
	return there(frame.TagPage(repo, q), err)
}

// findRepository finds a repository, and a tag or an image of it: name, name:tag and
// name@digest.
func findRepository(v *frame.Visit, q string) (string, error) {
	name, tag, _ := strings.Cut(q, ":")
	name, digest, _ := strings.Cut(name, "@")
	if digest != "" {
		digest, tag = digest+":"+tag, ""
	}
	if !strings.Contains(name, "/") {
		name = "library/" + name
	}
	repo, err := frame.Get[apitypes.RepositoryDetails](v, frame.Path("repositories", name), nil)
	to := frame.RepoPage(repo.Name)
	switch {
	case digest != "":
		to += "/-/images/" + url.PathEscape(digest)
	case tag != "":
		to = frame.TagPage(repo.Name, tag)
	}
	return there(to, err)
}

// findID finds the build or the event with an id.
func findID(v *frame.Visit, q string) (string, error) {
	if !id.MatchString(strings.ToLower(q)) {
		return "", nil
	}
	if v.SignedIn() {
		_, err := frame.Get[apitypes.Build](v, frame.Path("builds", q), nil)
		if to, err := there("/builds/"+url.PathEscape(q), err); err != nil || to != "" {
			return to, err
		}
	}
	e, err := frame.Get[apitypes.FullEvent](v, frame.Path("events", q), nil)
	return there("/events/"+strconv.FormatUint(e.Seq, 10), err)
}

// findNamespace finds a person or an organization, of whom the visitor may see something.
func findNamespace(v *frame.Visit, q string) (string, error) {
	if !namespace.MatchString(q) {
		return "", nil
	}
	if v.SignedIn() {
		_, err := frame.Get[apitypes.Namespace](v, frame.Path("namespaces", q), nil)
		if to, err := there("/n/"+q, err); err != nil || to != "" {
			return to, err
		}
	}
	list, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/repositories", url.Values{"namespace": {q}, "limit": {"1"}})
	if err != nil || len(list.Items) == 0 {
		return there("", err)
	}
	return "/n/" + q, nil
}

// named finds the images and builds in the latest events that name a digest or a commit, in
// full or by its beginning. An image of that digest itself counts before those that have it.
func (f *found) named(v *frame.Visit, term eventquery.Term) error {
	query, err := eventquery.Query{}.With(term)
	if err != nil { // it is none
		return nil
	}
	page, err := frame.Get[apitypes.EventPage](v, "/events", url.Values{"q": {query.String()}, "limit": {"100"}})
	if err != nil {
		_, err = there("", err)
		return err
	}
	var exact []apitypes.EventPart
	seen := map[string]bool{}
	for _, e := range page.Items {
		for _, part := range e.Parts {
			to := frame.Reference(part)
			if part.Kind != "image" && part.Kind != "build" || to == "" || seen[to] {
				continue
			}
			seen[to] = true
			f.Images = append(f.Images, part)
			if _, digest, _ := strings.Cut(part.Name, "@"); term.Name == "digest" && strings.HasPrefix(eventquery.DigestDigits(digest), eventquery.DigestDigits(term.Value)) {
				exact = append(exact, part)
			}
		}
	}
	if len(exact) > 0 {
		f.Images = exact
	}
	if len(f.Images) > 0 {
		f.Events = query.String()
	}
	return nil
}

// there is the address of what was asked for, "" when it is not there for the visitor.
func there(to string, err error) (string, error) {
	var problem *endpoint.Problem
	if errors.As(err, &problem) && (problem.Status == http.StatusNotFound || problem.Status == http.StatusUnauthorized || problem.Status == http.StatusForbidden || problem.Status == http.StatusUnprocessableEntity) {
		return "", nil
	}
	return to, err
}
