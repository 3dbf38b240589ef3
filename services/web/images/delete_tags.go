package images

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// maxDeleted bounds the tags that one page deletes.
const maxDeleted = 100

type deleteTagsPage struct {
	Repository apitypes.RepositoryDetails
	Goes       []goingTag
	Stays      []shownTag // because they are immutable
	More       int        // that match, too, and are not on this page
	Untagged   int        // images that have no tag left
	Cleanup    apitypes.CleanupRule
}

// A goingTag is one that goes, with the other tags that its image keeps.
type goingTag struct {
	shownTag
	Keeps []string
}

// showDeleteTags shows what goes and what stays: of the tags that were selected, or of
// those that a filter finds.
func showDeleteTags(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := deleteTagsPage{Repository: r}
	if p.Cleanup, err = frame.Get[apitypes.CleanupRule](v, frame.Path("repositories", v.Repo(), "cleanup"), nil); err != nil {
		return nil, err
	}
	names := v.Request.URL.Query()["tag"]
	if v.Sent != nil {
		names = v.Sent["tag"]
	}
	tags, err := selected(v, names, &p)
	if err != nil {
		return nil, err
	}
	going := map[string]bool{}
	for _, t := range tags {
		going[t.Name] = !t.Immutable
	}
	untagged := map[string]bool{}
	for _, t := range tags {
		if t.Immutable {
			p.Stays = append(p.Stays, shownTag{t})
			continue
		}
		g := goingTag{shownTag{t}, slices.DeleteFunc(slices.Clone(t.Same), func(name string) bool { return going[name] })}
		if len(g.Keeps) == 0 {
			untagged[t.Digest] = true
		}
		p.Goes = append(p.Goes, g)
	}
	p.Untagged = len(untagged)
	return p, nil
}

// selected finds the tags of these names that are there or, when there are none, those
// that the filter of the address finds.
func selected(v *frame.Visit, names []string, p *deleteTagsPage) ([]apitypes.Tag, error) {
	at := frame.Path("repositories", v.Repo(), "tags")
	if q := v.Query("q"); len(names) == 0 && q != "" {
		list, err := frame.Get[apitypes.List[apitypes.Tag]](v, at, url.Values{"q": {q}, "sort": {"version"}, "limit": {fmt.Sprint(maxDeleted)}})
		p.More = max(0, list.Total-len(list.Items))
		return list.Items, err
	}
	var tags []apitypes.Tag
	for _, name := range names[:min(len(names), maxDeleted)] {
		t, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", name), nil)
		if frame.Missing(err) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		tags = append(tags, t)
	}
	return tags, nil
}

// deleteTags deletes those that the page has shown, until one is refused.
func deleteTags(v *frame.Visit) (string, error) {
	names := v.Sent["tag"]
	if len(names) == 0 || len(names) > maxDeleted {
		return "", endpoint.Fail(http.StatusUnprocessableEntity, fmt.Sprintf("select 1 to %d tags", maxDeleted))
	}
	var last uint64
	var gone []string
	for _, name := range names {
		seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "tags", name), nil, nil)
		if frame.Missing(err) {
			continue // deleted meanwhile
		}
		if err != nil {
			return "", behind("deleted", gone, name, err)
		}
		last, gone = seq, append(gone, name)
	}
	return deleted(v, last, gone...), nil
}

// behind is why a form has ended at a tag, with those for which it was done before: they
// stay as the form has left them.
func behind(what string, before []string, name string, err error) error {
	var problem *endpoint.Problem
	if len(before) > 0 && errors.As(err, &problem) {
		problem.Detail = fmt.Sprintf("%s %s, and then %s was refused: %s", frame.Plural(len(before), "tag was", "tags were"), what, name, problem.Detail)
	}
	return err
}

// maxUndone bounds the names that an address holds; more are restored by their names.
const maxUndone = 20

// deleted is the address of the list of tags, which offers to restore those that went.
func deleted(v *frame.Visit, seq uint64, tags ...string) string {
	to, _ := frame.Done(frame.RepoPage(v.Repo())+"/-/tags", seq, nil)
	if len(tags) <= maxUndone {
		for _, tag := range tags {
			to += "&gone=" + url.QueryEscape(tag)
		}
	}
	return to
}

// restoreTags undoes the deletion of tags, until one is refused.
func restoreTags(v *frame.Visit) (string, error) {
	names := v.Sent["tag"]
	if len(names) == 0 || len(names) > maxUndone || names[0] == "" {
		return "", endpoint.Invalid("body.tag", "say which tag")
	}
	var last uint64
	for k, name := range names {
		seq, err := v.Send(http.MethodPost, frame.Path("repositories", v.Repo(), "tags", name, "restore"), nil, nil)
		var problem *endpoint.Problem
		if errors.As(err, &problem) && (problem.Status == http.StatusNotFound || problem.Status == http.StatusConflict) {
			err = endpoint.Invalid("body.tag", name+": "+problem.Detail)
		}
		if err != nil {
			return "", behind("restored", names[:k], name, err)
		}
		last = seq
	}
	return frame.Done(frame.RepoPage(v.Repo())+"/-/tags", last, nil)
}

type untaggedPage struct {
	Repository apitypes.RepositoryDetails
	Images     []apitypes.UntaggedManifest
	Next       string
}

func showUntagged(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	q := v.Paged()
	list, err := frame.Get[apitypes.List[apitypes.UntaggedManifest]](v, frame.Path("repositories", v.Repo(), "untagged"), q)
	return untaggedPage{r, list.Items, list.Next}, err
}

func showRestore(v *frame.Visit) (any, error) { return frame.Repository(v) }
