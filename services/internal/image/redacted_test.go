package image_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// setBy is a read model in which every tag names a manifest by an event.
type setBy struct {
	shown
	digest digest.Digest
	seq    uint64
}

func (s setBy) TagDetail(context.Context, string, string) (*images.TagDetail, error) {
	t := images.TagDetail{}
	t.Digest, t.Seq = s.digest, s.seq
	return &t, nil
}

// A tag whose latest event was redacted is what the event before it made of it: it can be
// deleted, restored and rolled back as any other.
func TestTagWhoseLatestEventIsRedacted(t *testing.T) {
	ctx := t.Context()
	first, second := digest.FromString("first"), digest.FromString("second")
	there := func(context.Context, string, uint64) (bool, error) { return true, nil }
	deleted := func(log *streams.Log, at uint64) error {
		_, err := image.DeleteTagAt(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0", first, at)
		return err
	}
	for name, c := range map[string]struct {
		redact []uint64
		do     func(log *streams.Log) error
		err    error
		then   events.Payload
	}{
		"deleted at":                           {[]uint64{2, 3}, func(log *streams.Log) error { return deleted(log, 1) }, nil, events.TagDeleted{}},
		"deleted at what was redacted":         {[]uint64{2, 3}, func(log *streams.Log) error { return deleted(log, 3) }, events.ErrConflict, events.ImagePushed{}},
		"deleted at what another one followed": {[]uint64{3}, func(log *streams.Log) error { return deleted(log, 1) }, events.ErrConflict, events.ImagePushed{}},
		"deleted while it names a manifest": {[]uint64{2, 3}, func(log *streams.Log) error {
			_, err := image.DeleteLiveTag(ctx, log, by, setBy{digest: first, seq: 1}, id, "alice/app", "1.0", first)
			return err
		}, nil, events.TagDeleted{}},
		"deleted, whatever it names": {[]uint64{2, 3}, func(log *streams.Log) error {
			_, err := image.DeleteLiveTag(ctx, log, by, setBy{digest: first, seq: 1}, id, "alice/app", "1.0", "")
			return err
		}, nil, events.TagDeleted{}},
		"restored": {[]uint64{4}, func(log *streams.Log) error { // the event behind its deletion
			_, err := image.RestoreTag(ctx, log, by, id, "1.0", second, time.Now())
			return err
		}, nil, events.TagRestored{}},
		"rolled back": {[]uint64{3}, func(log *streams.Log) error {
			_, err := image.RollBack(ctx, log, by, id, image.Rollback{Tag: "1.0", To: first, From: second, Event: 1}, repository.ImmutableTags{}, there)
			return err
		}, nil, events.ImageTagged{}},
		"rolled back to what it names": {[]uint64{2, 3}, func(log *streams.Log) error {
			_, err := image.RollBack(ctx, log, by, id, image.Rollback{Tag: "1.0", To: first, Event: 1}, repository.ImmutableTags{}, there)
			return err
		}, nil, events.ImagePushed{}},
	} {
		t.Run(name, func(t *testing.T) {
			log := streamtest.Open(t, "")
			push(t, log, "1.0", "first")
			push(t, log, "1.0", "second")
			if _, err := image.DeleteTag(ctx, log, by, graph{}, id, events.RepositoryPolicy{}, "1.0"); err != nil {
				t.Fatal(err)
			}
			if name == "restored" {
				push(t, log, "1.0", "third")
			}
			log = streamtest.Redacted(t, log, c.redact...)
			if err := c.do(log); !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if p := latest(t, log, "1.0"); p.EventType() != c.then.EventType() {
				t.Errorf("then it is %s, want %s", p.EventType(), c.then.EventType())
			}
		})
	}
}
