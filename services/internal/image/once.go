package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// ErrImmutable is what an *ImmutableError is.
var ErrImmutable = errors.New("immutable tag")

// An ImmutableError refuses to move or to delete an immutable tag. It is an
// ErrImmutable.
type ImmutableError struct {
	Tag    string
	Digest digest.Digest // of the manifest it names
	// Part is what was to be deleted and belongs to that manifest: a digest, or
	// "tag" and a tag. "" for the immutable tag and for the manifest itself.
	Part string
}

func (e *ImmutableError) Error() string {
	return fmt.Sprintf("tag %s is immutable and names %s", e.Tag, e.Names())
}

// Names is the manifest that the tag names, for people, with what belongs to it.
func (e *ImmutableError) Names() string {
	if e.Part == "" {
		return e.Digest.String()
	}
	return fmt.Sprintf("%s, to which %s belongs", e.Digest, e.Part)
}

// Is makes it an ErrImmutable.
func (e *ImmutableError) Is(target error) bool { return target == ErrImmutable }

// pushOnce records the push of an immutable tag. Of several at the same moment
// the first in the log wins, since each expects the sequence of the tag's latest
// event. When the tag names the same manifest already, nothing is appended and
// the sequence is that of the earlier push. *ImmutableError when the tag names
// another manifest.
//
// A tag is also gone when its manifest was deleted later, which no event of the
// tag tells. named says whether the tag that was set at seq is still there.
func pushOnce(ctx context.Context, log command.Log, by command.By, p Push, tag string,
	named func(ctx context.Context, seq uint64) (bool, error)) (seq uint64, appended bool, err error) {
	seq, err = command.Decide(ctx, log, by, events.TagSubject(p.Namespace, p.Repository, tag), func(last events.Payload, seq uint64) (_ events.Payload, err error) {
		d, there := NamedBy(last)
		if there {
			there, err = named(ctx, seq)
		}
		switch {
		case err != nil:
			return nil, err
		case there && d == p.Digest:
			appended = false
			return nil, nil
		case there:
			return nil, &ImmutableError{Tag: tag, Digest: d}
		}
		appended = true
		return p.event(tag), nil
	})
	return seq, appended, err
}
