package image_test

import (
	"context"
	"errors"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/image"
	"hubledger/streams/streamtest"
)

// shown is what the read model shows: tags that are there, with the policy of
// their repository, and tags that were deleted, with the manifests that are there.
type shown struct {
	graph
	tags      []string
	policy    events.RepositoryPolicy
	deleted   map[string]digest.Digest
	manifests []digest.Digest
}

func (s shown) TagDetail(_ context.Context, _, tag string) (*images.TagDetail, error) {
	for _, t := range s.tags {
		if t == tag {
			return &images.TagDetail{}, nil
		}
	}
	return nil, images.ErrNotFound
}

func (s shown) Repository(context.Context, string) (*images.Repository, error) {
	return &images.Repository{Policy: s.policy}, nil
}

func (s shown) DeletedTag(_ context.Context, _, tag string) (images.DeletedTag, error) {
	if d, ok := s.deleted[tag]; ok {
		return images.DeletedTag{Digest: d}, nil
	}
	return images.DeletedTag{}, images.ErrNotFound
}

func (s shown) Manifest(_ context.Context, _ string, d digest.Digest) (*images.Stored, error) {
	for _, m := range s.manifests {
		if m == d {
			return &images.Stored{}, nil
		}
	}
	return nil, images.ErrNotFound
}

func TestDeleteLiveTag(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	for _, tag := range []string{"v1", "latest", "gone"} {
		push(t, log, tag, "content")
	}
	read := shown{tags: []string{"v1", "latest", "unpushed"}, policy: events.RepositoryPolicy{ImmutableTags: []string{`v\d+`}}}
	for _, c := range []struct {
		tag string
		err error
	}{{"latest", nil}, {"v1", image.ErrImmutable}, {"gone", images.ErrNotFound}, {"-", images.ErrNotFound}, {"unpushed", image.ErrUnknownTag}, {"latest", image.ErrUnknownTag}} {
		if _, err := image.DeleteLiveTag(ctx, log, by, read, id, "alice/app", c.tag, ""); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.tag, err, c.err)
		}
	}
}

func TestMayRestoreTag(t *testing.T) {
	there, gone := digest.FromString("there"), digest.FromString("gone")
	read := shown{deleted: map[string]digest.Digest{"a": there, "b": gone}, manifests: []digest.Digest{there}}
	for tag, want := range map[string]error{"a": nil, "b": image.ErrManifestDeleted, "never": nil} {
		err := image.MayRestoreTag(t.Context(), read, id.Repository, tag)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tag, err, want)
		}
	}
}
