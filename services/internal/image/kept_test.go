package image_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/image"
	"hubledger/streams/streamtest"
)

// A graph is an image.Graph in maps.
type graph struct {
	tags  map[digest.Digest][]string
	above map[digest.Digest][]digest.Digest
}

func (g graph) TagsOf(_ context.Context, _ string, d digest.Digest) ([]string, error) {
	return g.tags[d], nil
}
func (g graph) Above(_ context.Context, _ string, d digest.Digest) ([]digest.Digest, error) {
	return g.above[d], nil
}
func (g graph) Beginning(_ context.Context, _, text string) (list []digest.Digest, err error) {
	for d := range g.tags {
		if strings.HasPrefix(d.String(), text) {
			list = append(list, d)
		}
	}
	return list, nil
}

// What an immutable tag needs stays, however far below it, and nothing else does.
func TestImmutableTagKeepsWhatItNeeds(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	d := digest.FromString
	g := graph{
		tags: map[digest.Digest][]string{d("outer"): {"latest", "v1"}, d("image"): {"tested"}, d("other"): {"x"},
			d("cosign"): {"sha256-" + d("image").Encoded() + ".sig"}, d("of other"): {"sha256-" + d("other").Encoded() + ".sig"},
			d("of nothing"): {"sha256-" + d("nothing").Encoded() + ".sig"}},
		above: map[digest.Digest][]digest.Digest{
			d("inner"): {d("outer"), d("other")}, d("image"): {d("inner"), d("inner")}, d("signature"): {d("image")},
			d("attestation of it"): {d("signature")}, d("round"): {d("about")}, d("about"): {d("round")}, // as no digests can be
		},
	}
	policy := events.RepositoryPolicy{ImmutableTags: []string{`v\d+`}}
	for name, kept := range map[string]bool{"outer": true, "inner": true, "image": true, "signature": true, "attestation of it": true,
		"cosign": true, "other": false, "of other": false, "of nothing": false, "round": false, "unknown": false} {
		_, err := image.DeleteManifest(ctx, log, by, g, id, policy, d(name))
		var refused *image.ImmutableError
		part := d(name).String()
		if name == "outer" {
			part = ""
		}
		if errors.As(err, &refused) != kept || kept && (refused.Tag != "v1" || refused.Digest != d("outer") || refused.Part != part) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := image.DeleteManifest(ctx, log, by, g, id, events.RepositoryPolicy{}, d(name)); err != nil {
			t.Errorf("%s without immutable tags: %v", name, err)
		}
	}
	// The tags by which signatures are found stay with what they sign.
	for tag, kept := range map[string]bool{g.tags[d("cosign")][0]: true, g.tags[d("of other")][0]: false, "tested": false} {
		push(t, log, tag, tag)
		if _, err := image.DeleteTag(ctx, log, by, g, id, policy, tag); errors.Is(err, image.ErrImmutable) != kept || !kept && err != nil {
			t.Errorf("tag %s: %v", tag, err)
		}
	}
}
