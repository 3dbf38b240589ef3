package images

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type tagsPage struct {
	Repository apitypes.RepositoryDetails
	Tags       []shownTag
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
	p.Total, p.Next = max(tags.Total, len(tags.Items)), tags.Next
	if p.Sort == "name" && v.Query("q") == "" {
		p.Total = r.Tags
	}
	return p, nil
}

// A shownTag is a tag with what a page says of it.
type shownTag struct{ apitypes.Tag }

// Kind is what the tag names, "" for an ordinary image.
func (t shownTag) Kind() string { return kindOf(t.MediaType, t.ArtifactType) }

// Reproducible says that the build time is none: images that are made reproducibly
// have the beginning of 1970, or of 1980 as archives do.
func (t shownTag) Reproducible() bool { return t.Built != nil && reproducible(*t.Built) }

func reproducible(built time.Time) bool { return built.Year() <= 1980 }

// kindOf names what a manifest is by its media types; "" for an image.
func kindOf(mediaType, artifactType string) string {
	switch {
	case artifactType == "", strings.HasPrefix(artifactType, "application/vnd.oci.image.config.v1"), strings.HasPrefix(artifactType, "application/vnd.docker.container.image.v1"):
		return ""
	case strings.HasPrefix(artifactType, "application/vnd.cncf.helm.config"):
		return "Helm chart"
	case strings.HasPrefix(artifactType, "application/vnd.wasm.config"), strings.HasPrefix(artifactType, "application/vnd.module.wasm"):
		return "WebAssembly module"
	case strings.HasPrefix(artifactType, "application/vnd.dev.sigstore.bundle"):
		return "Signature or attestation"
	case strings.HasPrefix(artifactType, "application/vnd.dev.cosign"), strings.HasPrefix(artifactType, "application/vnd.cncf.notary"):
		return "Signature"
	case strings.Contains(artifactType, "spdx"), strings.Contains(artifactType, "cyclonedx"):
		return "SBOM"
	case strings.Contains(artifactType, "in-toto"):
		return "Attestation"
	}
	return "Artifact"
}

type tagPage struct {
	Repository apitypes.RepositoryDetails
	Tag        shownTag
	Commands   []command
	// Unqualified: docker does not take the hub's host for one.
	Unqualified bool
	History     tagHistory
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
	t := shownTag{tag}
	return tagPage{r, t, commands(v, r, t.Kind(), tag.Name, tag.Digest), unqualified(v.Host()), past}, err
}

func deleteTag(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, tagOnce(v, v.Path("tag"), v.Sent.Get("digest")), nil, nil)
	return deleted(v, seq, v.Path("tag")), err
}
