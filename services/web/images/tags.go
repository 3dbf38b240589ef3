package images

import (
	"cmp"
	"net/http"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type tagsPage struct {
	Repository apitypes.RepositoryDetails
	Tags       []shownTag
	Running    map[string][]apitypes.RunningImage // where images run, by digest
	Total      int
	Next, Sort string
	Sorts      [][2]string
	Gone       []string // tags that the visitor has just deleted, to be restored
}

// sorts are the orders of the list, the first by default.
var sorts = [][2]string{{"version", "Newest version"}, {"pushed", "Pushed last"}, {"size", "Largest"}, {"pulls", "Most pulled"}, {"name", "By name"}}

func showTags(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := tagsPage{Repository: r, Sort: cmp.Or(v.Query("sort"), sorts[0][0]), Sorts: sorts}
	q := v.Paged()
	q.Set("sort", p.Sort)
	q.Set("q", v.Query("q"))
	if gone := v.Request.URL.Query()["gone"]; len(gone) <= maxUndone {
		p.Gone = gone
	}
	tags, err := frame.Get[apitypes.List[apitypes.Tag]](v, frame.Path("repositories", v.Repo(), "tags"), q)
	if err != nil {
		return nil, err
	}
	for _, t := range tags.Items {
		p.Tags = append(p.Tags, shownTag{t})
	}
	p.Running = map[string][]apitypes.RunningImage{}
	for _, r := range frame.Running(v) {
		p.Running[r.Digest] = append(p.Running[r.Digest], r)
	}
	p.Total, p.Next = max(tags.Total, len(tags.Items)), tags.Next
	if p.Sort == "name" && v.Query("q") == "" {
		p.Total = r.Tags
	}
	return p, nil
}

// A shownTag is a tag with what a page says of it.
type shownTag struct{ apitypes.Tag }

// Kind is what the tag names, "" for an ordinary image.
func (t shownTag) Kind() string { return frame.KindOf(t.ArtifactType) }

// Reproducible says that the build time is none: images that are made reproducibly
// have the beginning of 1970, or of 1980 as archives do.
func (t shownTag) Reproducible() bool { return t.Built != nil && reproducible(*t.Built) }

func reproducible(built time.Time) bool { return built.Year() <= 1980 }

type tagPage struct {
	Repository apitypes.RepositoryDetails
	Tag        shownTag
	Commands   []command
	// Unqualified: docker does not take the hub's host for one.
	Unqualified bool
	Running     []apitypes.RunningImage
	History     tagHistory
	// Reproducible: the config says that the build time is none. The read model does not
	// tell the beginning of 1970 from no time at all.
	Reproducible bool
}

func showTag(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	tag, err := frame.Get[apitypes.Tag](v, frame.Path("repositories", v.Repo(), "tags", v.Path("tag")), nil)
	if err != nil {
		return nil, err
	}
	past, err := history(v, tag.Seq)
	if err != nil {
		return nil, err
	}
	t := shownTag{tag}
	p := tagPage{Repository: r, Tag: t, Commands: commands(v, r, t.Kind(), tag.Name, tag.Digest), Unqualified: unqualified(v.Host()), Running: frame.Running(v, tag.Digest), History: past}
	if t.Built == nil && t.Kind() == "" && len(t.Images) > 0 {
		image, err := manifest(v, t.Images[0].Digest)
		if err != nil {
			return nil, err
		}
		p.Reproducible = image.Reproducible()
	}
	return p, nil
}

func deleteTag(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, tagOnce(v, v.Path("tag"), v.Sent.Get("digest")), nil, nil)
	return deleted(v, seq, v.Path("tag")), err
}
