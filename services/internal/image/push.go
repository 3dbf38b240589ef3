package image

import (
	"context"
	"slices"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// PushTags records the push of one manifest by several tags, "" for the one by
// its digest alone, and returns the last of their sequences. Immutable tags
// come first: when one of them is refused, no other tag has been moved.
//
// A tag is also gone when its manifest was deleted after it was set; live says
// whether a tag is there as of that event. *ImmutableError.
func PushTags(ctx context.Context, log command.Log, by command.By, e events.ImagePushed, tags []string, immutable repository.ImmutableTags,
	live func(ctx context.Context, tag string, seq uint64) (bool, error)) (last uint64, err error) {
	rank := func(tag string) int {
		if immutable.Has(tag) {
			return 0
		}
		return 1
	}
	tags = slices.Clone(tags)
	slices.SortStableFunc(tags, func(a, b string) int { return rank(a) - rank(b) })
	for _, tag := range tags {
		e.Tag = tag
		var seq uint64
		if immutable.Has(tag) {
			seq, err = PushOnce(ctx, log, by, e, func(ctx context.Context, seq uint64) (bool, error) { return live(ctx, tag, seq) })
		} else {
			seq, err = Push(ctx, log, by, e)
		}
		if err != nil {
			return 0, err
		}
		last = max(last, seq)
	}
	return last, nil
}
