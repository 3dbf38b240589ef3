package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/api/taglist"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

func (s *API) listTags(ctx context.Context, c *endpoint.Call, in *listTagsIn) (*openapi.List[apitypes.Tag], error) {
	if in.AsOf != "" {
		return s.listTagsAsOf(ctx, c, in)
	}
	if in.Sort == "name" && in.Q == "" {
		last, err := openapi.ParseCursor(in.Cursor)
		if err != nil {
			return nil, err
		}
		tags, err := s.Images.TagDetails(ctx, c.Repository.ID, last, in.Limit+1)
		if err != nil {
			return nil, err
		}
		views, err := s.shownTags(ctx, c, tags)
		if err != nil {
			return nil, err
		}
		return openapi.Page(c, views, in.Limit, func(v apitypes.Tag) string { return openapi.CursorAt(v.Name) }), nil
	}
	list, err := s.tags.Of(ctx, c.Repository.ID)
	if err != nil {
		return nil, endpoint.Located(err, "query.sort", taglist.ErrTooMany)
	}
	order, err := s.ordered(ctx, c, list, in.Sort)
	if err != nil {
		return nil, err
	}
	names := list.Find(order, in.Q)
	from, err := behind(in.Cursor, names)
	if err != nil {
		return nil, err
	}
	page := names[from:min(from+in.Limit, len(names))]
	tags, err := s.Images.TagDetailsOf(ctx, c.Repository.ID, page)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tags, func(a, b images.TagDetail) int { return slices.Index(page, a.Name) - slices.Index(page, b.Name) })
	views, err := s.shownTags(ctx, c, tags)
	if err != nil {
		return nil, err
	}
	out := openapi.WholeList(views)
	out.Body.Total = len(names)
	if end := from + len(page); end < len(names) {
		out.Continue(c, openapi.CursorAt(fmt.Sprint(end, " ", names[end-1])))
	}
	return out, nil
}

func (s *API) ordered(ctx context.Context, c *endpoint.Call, list *taglist.List, by string) ([]int, error) {
	switch by {
	case "version":
		return list.ByVersion(), nil
	case "pushed":
		return list.ByPush(), nil
	case "size":
		return list.BySize(ctx)
	case "pulls":
		pulls, err := s.browse.AllTagPulls(ctx, c.Repository.ID)
		return list.By(func(tag string) int64 { return pulls[tag].Pulls }), err
	}
	return list.ByName(), nil
}

// behind is the place behind a cursor: its tag, or where that was when it has gone.
func behind(cursor string, names []string) (int, error) {
	place, err := openapi.ParseCursor(cursor)
	if err != nil || place == "" {
		return 0, err
	}
	rank, name, _ := strings.Cut(place, " ")
	n, err := strconv.Atoi(rank)
	if err != nil || n < 1 {
		return 0, openapi.BadCursor()
	}
	if n <= len(names) && names[n-1] == name {
		return n, nil
	}
	if k := slices.Index(names, name); k >= 0 {
		return k + 1, nil
	}
	return min(n, len(names)), nil
}

func (s *API) getTag(ctx context.Context, c *endpoint.Call, in *getTagIn) (*openapi.Answer[apitypes.Tag], error) {
	if in.AsOf != "" {
		return s.getTagAsOf(ctx, c, in)
	}
	t, err := s.Images.TagDetail(ctx, c.Repository.ID, in.Tag)
	if err != nil {
		return nil, err
	}
	views, err := s.shownTags(ctx, c, []images.TagDetail{*t})
	if err != nil {
		return nil, err
	}
	return openapi.Show(views[0]), nil
}

// signatures are the artifact types of signatures: those of cosign (both kinds of its
// bundles) and of notation.
var signatures = []string{"application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.sigstore.bundle.v0.3+json",
	"application/vnd.dev.sigstore.bundle+json;version=0.3", "application/vnd.cncf.notary.signature"}

// maxSame bounds the other tags of a manifest that are named with each.
const maxSame = 10

// shownTags are tags of the call's repository as the API shows them.
func (s *API) shownTags(ctx context.Context, c *endpoint.Call, tags []images.TagDetail) ([]apitypes.Tag, error) {
	views := make([]apitypes.Tag, len(tags))
	if len(tags) == 0 {
		return views, nil
	}
	pulls, err := s.browse.TagPulls(ctx, c.Repository.ID, tags...)
	if err != nil {
		return nil, err
	}
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return nil, err
	}
	immutable := repository.Immutable(repo.Policy)
	var digests []digest.Digest
	var tagged []string // by which signatures of the older kind are found
	for _, t := range tags {
		digests = append(digests, t.Digest)
		tagged = append(tagged, signatureTag(t.Digest))
	}
	signed, err := s.Images.SubjectsOf(ctx, c.Repository.ID, digests, signatures...)
	if err != nil {
		return nil, err
	}
	there, err := s.Images.TagsThere(ctx, c.Repository.ID, tagged)
	if err != nil {
		return nil, err
	}
	from, err := s.madeBy(ctx, c, digests)
	if err != nil {
		return nil, err
	}
	list, err := s.tags.Of(ctx, c.Repository.ID)
	if err != nil && !errors.Is(err, taglist.ErrTooMany) {
		return nil, err
	}
	for k, t := range tags {
		n := pulls.Of(t)
		v := apitypes.Tag{Name: t.Name, Digest: t.Digest.String(), MediaType: t.MediaType, ArtifactType: t.Artifact, Size: t.Size, Pushed: t.Pushed, Built: apitypes.Known(t.Created),
			By: t.By, Seq: t.Seq, Pulls: n.Pulls, Pulled: apitypes.Known(n.LastPulled), Immutable: immutable.Has(t.Name), Signed: signed[t.Digest] || there[signatureTag(t.Digest)],
			Same: []string{}, From: from.by(t.Digest, t.Name), Images: make([]apitypes.Image, 0, len(t.Images))}
		if list != nil {
			v.Same = list.Same(t, maxSame)
		}
		for _, m := range t.Images {
			if !m.Attestation { // which is not for a platform
				v.Images = append(v.Images, shownImage(m))
			}
		}
		views[k] = v
	}
	return views, nil
}

func shownImage(m images.PlatformImage) apitypes.Image {
	return apitypes.Image{Digest: m.Digest.String(), OS: m.Platform.OS, Architecture: m.Platform.Architecture, Variant: m.Platform.Variant, Size: m.Size}
}

// signatureTag is the tag in which cosign keeps the signatures of a manifest where it
// does not use referrers.
func signatureTag(d digest.Digest) string {
	return strings.Replace(repository.ShortDigest(d), ":", "-", 1) + ".sig"
}

// made are the builds that pushed manifests, latest first.
type made map[string][]builds.Made

// by is the build from which a manifest comes under a tag, which is "" for no certain one:
// the latest that set the tag, or else the latest. It is nil where somebody pushed it.
func (m made) by(d digest.Digest, tag string) *apitypes.MadeBy {
	list := m[d.String()]
	if len(list) == 0 {
		return nil
	}
	k := max(0, slices.IndexFunc(list, func(b builds.Made) bool { return slices.Contains(b.Tags, tag) }))
	return &apitypes.MadeBy{Build: list[k].Build, Ref: list[k].Ref, Commit: list[k].Commit}
}

// madeBy finds the builds that made some manifests, for who may see builds.
func (s *API) madeBy(ctx context.Context, c *endpoint.Call, ds []digest.Digest) (made, error) {
	if c.Level < access.Write {
		return nil, nil
	}
	texts := make([]string, len(ds))
	for k, d := range ds {
		texts[k] = d.String()
	}
	return s.Builds.MadeOf(ctx, c.Repository.ID, texts)
}
