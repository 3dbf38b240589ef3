package image_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

var (
	by = command.By{Source: "/test", Actor: "tester"}
	id = repository.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Repository: "0191d1a0-0000-7000-8000-000000000002"}
)

func push(t *testing.T, log *streams.Log, tag, content string) digest.Digest {
	t.Helper()
	d := digest.FromString(content)
	_, err := command.Append(t.Context(), log, by, events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d, MediaType: "x", Manifest: []byte(content)}, events.AnySeq)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// latest is what the log says last of a tag.
func latest(t *testing.T, log *streams.Log, tag string) events.Payload {
	t.Helper()
	p, _, err := command.Latest(t.Context(), log, events.TagSubject(id.Namespace, id.Repository, tag))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLifeOfATag(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	if _, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0"); !errors.Is(err, image.ErrUnknownTag) {
		t.Fatalf("deleted what never was: %v", err)
	}
	if _, err := image.RestoreTag(ctx, log, by, id, "1.0", digest.FromString("none"), time.Now()); !errors.Is(err, image.ErrUnknownTag) {
		t.Fatalf("restored what never was: %v", err)
	}
	push(t, log, "1.0", "old")
	d := push(t, log, "1.0", "new")
	if _, err := image.RestoreTag(ctx, log, by, id, "1.0", d, time.Now()); !errors.Is(err, image.ErrUnknownTag) {
		t.Fatalf("restored what is there: %v", err)
	}
	for range 2 {
		if _, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0"); err != nil {
			t.Fatal(err)
		}
		if p, ok := latest(t, log, "1.0").(events.TagDeleted); !ok || p.Digest != d {
			t.Fatalf("deleted as %+v", p)
		}
		if _, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0"); !errors.Is(err, image.ErrUnknownTag) {
			t.Fatalf("deleted twice: %v", err)
		}
		if _, err := image.RestoreTag(ctx, log, by, id, "1.0", digest.FromString("other"), time.Now()); !errors.Is(err, image.ErrUnknownTag) {
			t.Fatalf("restored as something else: %v", err)
		}
		if _, err := image.RestoreTag(ctx, log, by, id, "1.0", d, time.Now()); err != nil {
			t.Fatal(err)
		}
		if p, ok := latest(t, log, "1.0").(events.TagRestored); !ok || p.Digest != d {
			t.Fatalf("restored as %+v", p)
		}
	}
}

// Of deletions at the same moment one is made, and the others learn of it.
func TestDeleteTagAtOnce(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	push(t, log, "1.0", "content")
	errs := make([]error, 6)
	var work sync.WaitGroup
	for k := range errs {
		work.Go(func() { _, errs[k] = image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0") })
	}
	work.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, image.ErrUnknownTag) {
			t.Error(err)
		}
	}
	if last, err := log.LastSeq(ctx); made != 1 || last != 2 || err != nil {
		t.Errorf("%d deletions were made, the log ends at %d, %v", made, last, err)
	}
}
