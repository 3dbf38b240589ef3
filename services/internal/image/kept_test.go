package image_test

import (
	"context"
	"errors"
	"strconv"
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
	pins  map[digest.Digest]string
}

func (g graph) Pinned(context.Context, string) (map[digest.Digest]string, error) { return g.pins, nil }

func (g graph) TagsOf(context.Context, string, []digest.Digest) (map[digest.Digest][]string, error) {
	return g.tags, nil
}
func (g graph) Above(_ context.Context, _ string, ds []digest.Digest) (list []digest.Digest, err error) {
	for _, d := range ds {
		list = append(list, g.above[d]...)
	}
	return list, nil
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
		if _, err := image.DeleteTagAt(ctx, log, by, g, id, policy, tag, d(tag), 1); errors.Is(err, image.ErrImmutable) != kept || !kept && !errors.Is(err, events.ErrConflict) {
			t.Errorf("tag %s, set by another event: %v", tag, err)
		}
		if _, err := image.DeleteTag(ctx, log, by, g, id, policy, tag); errors.Is(err, image.ErrImmutable) != kept || !kept && err != nil {
			t.Errorf("tag %s: %v", tag, err)
		}
	}
}

// What a release pins stays with what belongs to it, without any immutable tag.
func TestReleaseKeepsWhatItNeeds(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	d := digest.FromString
	signature := "sha256-" + d("image").Encoded() + ".sig"
	g := graph{
		tags:  map[digest.Digest][]string{d("cosign"): {signature}, d("image"): {"latest"}},
		above: map[digest.Digest][]digest.Digest{d("child"): {d("image")}, d("attestation"): {d("child")}},
		pins:  map[digest.Digest]string{d("image"): "release 3 of acme/shop"},
	}
	for name, kept := range map[string]bool{"image": true, "child": true, "attestation": true, "cosign": true, "other": false} {
		_, err := image.DeleteManifest(ctx, log, by, g, id, events.RepositoryPolicy{}, d(name))
		var held *image.HeldError
		if errors.As(err, &held) != kept || kept && (held.Digest != d("image") || (held.Part == "") != (name == "image") || !errors.Is(err, image.ErrHeld)) || !kept && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for tag, kept := range map[string]bool{signature: true, "latest": false} {
		push(t, log, tag, tag)
		if _, err := image.DeleteTag(ctx, log, by, g, id, events.RepositoryPolicy{}, tag); errors.Is(err, image.ErrHeld) != kept || !kept && err != nil {
			t.Errorf("tag %s: %v", tag, err)
		}
	}
	if err := image.MayDeleteRepository(ctx, g, "x"); !errors.Is(err, image.ErrHeld) {
		t.Errorf("the repository: %v", err)
	}
	if err := image.MayDeleteRepository(ctx, graph{}, "x"); err != nil {
		t.Error(err)
	}
}

// asked counts the questions to a graph.
type asked struct {
	graph
	n int
}

func (a *asked) Above(ctx context.Context, repo string, ds []digest.Digest) ([]digest.Digest, error) {
	a.n++
	return a.graph.Above(ctx, repo, ds)
}

// A graph that somebody made large costs a deletion a bounded number of questions.
func TestLargeGraph(t *testing.T) {
	log := streamtest.Open(t, "")
	wide, long := graph{above: map[digest.Digest][]digest.Digest{}}, graph{above: map[digest.Digest][]digest.Digest{}}
	d := digest.FromString("image")
	for k, at := 0, d; k < 10_000; k++ {
		next := digest.FromString(strconv.Itoa(k))
		wide.above[d] = append(wide.above[d], next)
		long.above[at], at = []digest.Digest{next}, next
	}
	for name, c := range map[string]struct {
		graph graph
		most  int
	}{"10,000 indexes": {wide, 2}, "10,000 levels": {long, 100}} {
		a := &asked{graph: c.graph}
		_, err := image.DeleteManifest(t.Context(), log, by, a, id, events.RepositoryPolicy{ImmutableTags: []string{"v1"}}, d)
		if err != nil || a.n > c.most {
			t.Errorf("%s: %d questions, want at most %d: %v", name, a.n, c.most, err)
		}
	}
}
