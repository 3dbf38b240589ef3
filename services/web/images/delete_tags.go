package images

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// maxDeleted bounds the tags that one page deletes: a filter that finds more is gone
// through in steps.
const maxDeleted = 100

// maxListed bounds the pages of a list of tags that are looked through for some that can
// be deleted.
const maxListed = 20

type deleteTagsPage struct {
	Repository apitypes.RepositoryDetails
	Goes       []goingTag
	Stays      []shownTag // because they are immutable; the first ones
	MoreStay   int        // how many others
	More       int        // that match, too, and come in the next steps
	Before     int        // that earlier steps have deleted
	Untagged   int        // images that have no tag left
	Cleanup    apitypes.CleanupRule
	Freed      *apitypes.DeletionPreview // nil: it could not be worked out
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
	if done, ok := v.Made.(deletion); ok {
		p.Before = done.Before + len(done.Gone)
	}
	names := v.Request.URL.Query()["tag"]
	if v.Sent != nil {
		names = v.Sent["tag"]
	}
	if q := v.Query("q"); q != "" {
		err = p.match(v, q)
	} else {
		err = p.named(v, names)
	}
	if err != nil {
		return nil, err
	}
	going := map[string]bool{}
	for _, t := range p.Goes {
		going[t.Name] = true
	}
	untagged := map[string]bool{}
	for k, t := range p.Goes {
		p.Goes[k].Keeps = slices.DeleteFunc(slices.Clone(t.Same), func(name string) bool { return going[name] })
		if len(p.Goes[k].Keeps) == 0 {
			untagged[t.Digest] = true
		}
	}
	p.Untagged = len(untagged)
	p.Freed, err = p.freed(v)
	return p, err
}

// freed is what becomes free.
func (p *deleteTagsPage) freed(v *frame.Visit) (*apitypes.DeletionPreview, error) {
	want := apitypes.DeletionPreviewRequest{}
	for _, t := range p.Goes {
		want.Tags = append(want.Tags, t.Name)
	}
	if len(want.Tags) == 0 {
		return nil, nil
	}
	return frame.Freed(v, want)
}

// Left is how many tags are still to be deleted.
func (p deleteTagsPage) Left() int { return len(p.Goes) + p.More }

// add takes a tag as one that goes or stays.
func (p *deleteTagsPage) add(t apitypes.Tag) {
	switch {
	case !t.Immutable:
		p.Goes = append(p.Goes, goingTag{shownTag: shownTag{t}})
	case len(p.Stays) < maxDeleted:
		p.Stays = append(p.Stays, shownTag{t})
	default:
		p.MoreStay++
	}
}

// named adds the tags of these names that are there.
func (p *deleteTagsPage) named(v *frame.Visit, names []string) error {
	for _, name := range names[:min(len(names), maxDeleted)] {
		name, _, _ = strings.Cut(name, "@")
		t, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", name), nil)
		if frame.Missing(err) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		p.add(t)
	}
	return nil
}

// match adds the first tags that a filter finds and that can be deleted, with those before
// them that cannot.
func (p *deleteTagsPage) match(v *frame.Visit, text string) error {
	q := url.Values{"q": {text}, "sort": {"version"}, "limit": {strconv.Itoa(maxDeleted)}}
	for range maxListed {
		list, err := frame.Get[apitypes.List[apitypes.Tag]](v, frame.Path("repositories", v.Repo(), "tags"), q)
		if err != nil {
			return err
		}
		for _, t := range list.Items {
			if len(p.Goes) < maxDeleted {
				p.add(t)
			}
		}
		p.More = max(0, list.Total-len(p.Goes)-len(p.Stays)-p.MoreStay)
		next, err := url.Parse(list.Next)
		if err != nil || list.Next == "" || len(p.Goes) >= maxDeleted {
			return err
		}
		q.Set("cursor", next.Query().Get("cursor"))
	}
	return nil
}

// A deletion is what a step has done.
type deletion struct {
	Gone   []string
	Kept   []keptTag
	Before int // tags that earlier steps have deleted
}

// A keptTag is one that was not deleted, and why.
type keptTag struct{ Name, Why string }

// deleteTags deletes those that the page has shown, each only while it names the image that
// the page has shown. It leads to the list, or shows the page again when something was
// kept or the filter finds more.
func deleteTags(v *frame.Visit) (string, error) {
	confirmed := v.Sent["tag"]
	if len(confirmed) == 0 || len(confirmed) > maxDeleted {
		return "", endpoint.Fail(http.StatusUnprocessableEntity, fmt.Sprintf("select 1 to %d tags", maxDeleted))
	}
	done := deletion{}
	done.Before, _ = strconv.Atoi(v.Sent.Get("before"))
	var last uint64
	for _, c := range confirmed {
		name, digest, ok := strings.Cut(c, "@")
		if !ok {
			return "", endpoint.Invalid("body.tag", "the form does not say which image "+name+" named: open the page again")
		}
		seq, err := v.Send(http.MethodDelete, tagOnce(v, name, digest), nil, nil)
		var problem *endpoint.Problem
		switch {
		case err == nil:
			last, done.Gone = seq, append(done.Gone, name)
		case frame.Missing(err):
			done.Kept = append(done.Kept, keptTag{name, "somebody has deleted it meanwhile"})
		case errors.As(err, &problem) && problem.Status == http.StatusConflict:
			done.Kept = append(done.Kept, keptTag{name, problem.Detail})
		default:
			return "", behind("deleted", done.Gone, name, err)
		}
	}
	if len(done.Kept) == 0 && cmp.Or(v.Sent.Get("more"), "0") == "0" {
		return deleted(v, last, done.Gone...), nil
	}
	v.Made = done
	return "", nil
}

// tagOnce is the address in the API of a tag that is deleted only while it names that image.
func tagOnce(v *frame.Visit, name, digest string) string {
	return frame.Path("repositories", v.Repo(), "tags", name) + "?digest=" + url.QueryEscape(digest)
}

// behind is why a form has ended at a name, with those for which it was done before: they
// stay as the form has left them.
func behind(what string, before []string, name string, err error) error {
	var problem *endpoint.Problem
	if errors.As(err, &problem) {
		problem.Detail = fmt.Sprintf("%s was refused: %s", name, problem.Detail)
		if len(before) > 0 {
			problem.Detail = fmt.Sprintf("%d of the selected %s, and then %s", len(before), map[bool]string{true: "was " + what, false: "were " + what}[len(before) == 1], problem.Detail)
		}
	}
	return err
}

// maxUndone bounds the names that an address holds; more are in the trash.
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
