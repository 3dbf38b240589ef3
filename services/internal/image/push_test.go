package image_test

import (
	"context"
	"errors"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

// A push of several tags moves none of them when one is immutable and names
// another image, wherever it stands in the list.
func TestPushTags(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	immutable := repository.Immutable(events.RepositoryPolicy{ImmutableTags: []string{`v\d+`}})
	live := func(context.Context, string, uint64) (bool, error) { return true, nil }
	known := false
	push := func(content string, tags ...string) (uint64, error) {
		return image.PushTags(ctx, log, by, image.Push{ImagePushed: pushOf("", content), Tags: tags, Known: known}, immutable, live)
	}
	if last, err := push("one", "latest", "v1", "other"); err != nil || last != 3 {
		t.Fatalf("pushed up to event %d, %v", last, err)
	}
	// The immutable one is first and has the bytes, once for all three.
	if p, ok := latest(t, log, "v1").(events.ImagePushed); !ok || p.Tag != "v1" {
		t.Errorf("v1 is %+v", p)
	}
	for _, tag := range []string{"latest", "other"} {
		want := events.ImageTagged{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: digest.FromString("one")}
		if p := latest(t, log, tag); p != events.Payload(want) {
			t.Errorf("%s is %+v", tag, p)
		}
	}
	var refused *image.ImmutableError
	if _, err := push("two", "latest", "new", "v1"); !errors.As(err, &refused) || refused.Tag != "v1" {
		t.Errorf("pushed over an immutable tag: %v", err)
	}
	if last, err := log.LastSeq(ctx); err != nil || last != 3 {
		t.Errorf("a refused push has made %d events, %v", last-3, err)
	}
	// By its digest alone; and the immutable tag again, which needs no event.
	if last, err := push("two", ""); err != nil || last != 4 {
		t.Errorf("pushed up to event %d, %v", last, err)
	}
	// Not known: the event that needs none has no bytes either, so the next has.
	if last, err := push("one", "v1", "latest"); err != nil || last != 5 {
		t.Errorf("pushed up to event %d, %v", last, err)
	}
	if p, ok := latest(t, log, "latest").(events.ImagePushed); !ok {
		t.Errorf("latest is %+v", p)
	}
	known = true
	if last, err := push("one", "", "v1", "v2", "latest"); err != nil || last != 8 {
		t.Errorf("pushed up to event %d, %v", last, err)
	}
	for _, tag := range []string{"v2", "latest"} {
		if p, ok := latest(t, log, tag).(events.ImageTagged); !ok || p.Digest != digest.FromString("one") {
			t.Errorf("%s is %+v", tag, p)
		}
	}
	if _, err := push("two", "v2"); !errors.As(err, &refused) || refused.Digest != digest.FromString("one") {
		t.Errorf("pushed over an immutable tag: %v", err)
	}
	if seq, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "v2"); err != nil || seq != 9 {
		t.Errorf("deleted by event %d, %v", seq, err)
	}
}
