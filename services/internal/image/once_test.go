package image_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

func there(context.Context, string, uint64) (bool, error) { return true, nil }

// once pushes to a tag that is immutable.
func once(ctx context.Context, log command.Log, e events.ImagePushed, live func(context.Context, string, uint64) (bool, error)) (uint64, error) {
	all := repository.Immutable(events.RepositoryPolicy{ImmutableTags: []string{".*"}})
	return image.PushTags(ctx, log, by, image.Push{ImagePushed: e, Tags: []string{e.Tag}}, all, live)
}

func pushOf(tag, content string) events.ImagePushed {
	return events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: digest.FromString(content), MediaType: "x", Manifest: []byte(content)}
}

// Of any number of different pushes of one tag exactly one is recorded, round
// after round, whether the tag is new or was deleted.
func TestPushOnceRaces(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	for round := range 100 {
		tag := fmt.Sprint("v", round/2)
		if round%2 == 1 {
			if _, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, tag); err != nil {
				t.Fatal(err)
			}
		}
		seqs, errs := make([]uint64, 32), make([]error, 32)
		var work sync.WaitGroup
		for k := range errs {
			work.Go(func() { seqs[k], errs[k] = once(ctx, log, pushOf(tag, fmt.Sprint(round, k)), there) })
		}
		work.Wait()
		won := digest.Digest("")
		for k, err := range errs {
			if err == nil && won == "" {
				won = digest.FromString(fmt.Sprint(round, k))
			} else if err == nil {
				t.Fatalf("round %d: two won", round)
			}
		}
		for _, err := range errs {
			var refused *image.ImmutableError
			if err != nil && (!errors.As(err, &refused) || refused.Digest != won || refused.Tag != tag) {
				t.Fatalf("round %d: %s won, another got %v", round, won, err)
			}
		}
		if p, ok := latest(t, log, tag).(events.ImagePushed); !ok || p.Digest != won {
			t.Fatalf("round %d: the tag is %v", round, p)
		}
	}
}

func TestImmutable(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	policy := events.RepositoryPolicy{ImmutableTags: []string{`v\d+`}}
	first, err := once(ctx, log, pushOf("v1", "content"), there)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := once(ctx, log, pushOf("v1", "content"), there); err != nil || again != first {
		t.Errorf("the same again is event %d, %v", again, err)
	}
	d := digest.FromString("content")
	var refused *image.ImmutableError
	for what, do := range map[string]func() (uint64, error){
		"delete":    func() (uint64, error) { return image.DeleteTag(ctx, log, by, graph{}, id, policy, "v1") },
		"delete at": func() (uint64, error) { return image.DeleteTagAt(ctx, log, by, graph{}, id, policy, "v1", d, first) },
		"delete manifest": func() (uint64, error) {
			return image.DeleteManifest(ctx, log, by, graph{tags: map[digest.Digest][]string{d: {"a", "v1"}}}, id, policy, d)
		},
	} {
		if _, err := do(); !errors.As(err, &refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Its manifest is gone: the tag can be set once more.
	gone := func(context.Context, string, uint64) (bool, error) { return false, nil }
	second, err := once(ctx, log, pushOf("v1", "other"), gone)
	if err != nil || second != first+1 {
		t.Errorf("pushed as event %d, %v", second, err)
	}
	if _, err := image.DeleteTagAt(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "v1", d, first); !errors.Is(err, events.ErrConflict) {
		t.Errorf("deleted a tag that has moved: %v", err)
	}
}
