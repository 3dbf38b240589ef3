package image_test

import (
	"context"
	"errors"
	"testing"

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
	push := func(content string, tags ...string) (uint64, error) {
		return image.PushTags(ctx, log, by, pushOf("", content), tags, immutable, live)
	}
	if last, err := push("one", "latest", "v1", "other"); err != nil || last != 3 {
		t.Fatalf("pushed up to event %d, %v", last, err)
	}
	if p, ok := latest(t, log, "latest").(events.ImagePushed); !ok || p.Tag != "latest" {
		t.Errorf("latest is %+v", p)
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
	if last, err := push("one", "v1", "latest"); err != nil || last != 5 {
		t.Errorf("pushed up to event %d, %v", last, err)
	}
}
