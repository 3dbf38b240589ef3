package image

import (
	"context"
	"slices"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// A Push is a manifest that is pushed to a repository, by any number of tags.
type Push struct {
	events.ImagePushed // its Tag is not used
	// Tags are those to set, "" for a push by the digest alone.
	Tags []string
	// Known says that the repository has the manifest as it is pushed: its bytes
	// are in the log, its media type is the same and it holds the same blobs.
	Known bool
}

// event is what the log gets for one tag: the manifest's bytes once, and for
// what the repository has already a small event.
func (p *Push) event(tag string) events.Payload {
	if p.Known {
		return events.ImageTagged{Namespace: p.Namespace, Repository: p.Repository, Tag: tag, Digest: p.Digest}
	}
	e := p.ImagePushed
	e.Tag = tag
	return e
}

// PushTags records a push and returns the last of its sequences. A push of what
// is there already is recorded, too: it counts as the last push of the tag and
// of the manifest. Immutable tags come first: when one of them is refused, no
// other tag has been moved. Of several pushes of a mutable tag the last one in
// the log wins, so none is expected to stand before it.
//
// A tag is also gone when its manifest was deleted after it was set; live says
// whether a tag is there as of that event. *ImmutableError.
func PushTags(ctx context.Context, log command.Log, by command.By, p Push, immutable repository.ImmutableTags,
	live func(ctx context.Context, tag string, seq uint64) (bool, error)) (last uint64, err error) {
	var once, free []string
	for _, tag := range p.Tags {
		if immutable.Has(tag) {
			once = append(once, tag)
		} else {
			free = append(free, tag)
		}
	}
	for k, tag := range slices.Concat(once, free) {
		var seq uint64
		appended := true
		if k < len(once) {
			seq, appended, err = pushOnce(ctx, log, by, p, tag, func(ctx context.Context, seq uint64) (bool, error) { return live(ctx, tag, seq) })
		} else {
			seq, err = command.Append(ctx, log, by, p.event(tag), events.AnySeq)
		}
		if err != nil {
			return 0, err
		}
		p.Known = p.Known || appended
		last = max(last, seq)
	}
	return last, nil
}
