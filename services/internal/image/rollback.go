package image

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// ErrNeverNamed refuses to roll a tag back to what it never named.
var ErrNeverNamed = errors.New("a tag is rolled back to an image that it named before")

// ErrMoved is what a *MovedError is.
var ErrMoved = errors.New("the tag has changed meanwhile")

// A MovedError says that a tag does not name any more what was decided about, and who has
// changed it. It is an ErrMoved.
type MovedError struct {
	Tag    string
	Digest digest.Digest // that it names now; "" for none
	// Seq, By and At are those of the tag's latest event.
	Seq uint64
	By  string
	At  time.Time
}

func (e *MovedError) Error() string {
	what := "it does not name an image any more"
	if e.Digest != "" {
		what = "it names " + e.Digest.String()
	}
	return fmt.Sprintf("the tag %s has changed meanwhile: since event %d, by %s at %s, %s; look at it, and decide again", e.Tag, e.Seq, e.By, e.At.UTC().Format("2006-01-02 15:04:05 UTC"), what)
}

// Is makes it an ErrMoved.
func (e *MovedError) Is(target error) bool { return target == ErrMoved }

// moved is the *MovedError of a tag as it is now.
func moved(ctx context.Context, log command.Log, subject, tag string, live func(ctx context.Context, tag string, seq uint64) (bool, error)) error {
	last, err := log.Last(ctx, subject)
	if err != nil {
		return fmt.Errorf("look up %s: %w", subject, err)
	}
	refused := &MovedError{Tag: tag}
	if last == nil {
		return refused
	}
	refused.Seq, refused.By, refused.At = last.Seq, last.Actor(), last.Time()
	p, err := events.Decode(last)
	if err != nil {
		return err
	}
	if d, named := NamedBy(p); named {
		there, err := live(ctx, tag, last.Seq)
		if err != nil {
			return err
		}
		if there {
			refused.Digest = d
		}
	}
	return refused
}

// A Rollback is the wish that a tag names an image again that it named before.
type Rollback struct {
	Tag string
	To  digest.Digest
	// Event and Since are those of the push by which the tag came to name it.
	Event uint64
	Since time.Time
	// From is the image that the tag names now, as far as who wishes it knows; "" for
	// any. When it names another one, the rollback is refused.
	From digest.Digest
}

// RollBack lets a tag name an image that is there and that it named before, as a push of
// that image would. When it names it already, nothing is appended, and the sequence is that
// of the tag's latest event. live is that of PushTags. *MovedError, *ImmutableError.
func RollBack(ctx context.Context, log command.Log, by command.By, id repository.ID, r Rollback, immutable repository.ImmutableTags,
	live func(ctx context.Context, tag string, seq uint64) (bool, error)) (uint64, error) {
	subject := events.TagSubject(id.Namespace, id.Repository, r.Tag)
	seq, err := command.Decide(ctx, log, by, subject, func(last events.Payload, seq uint64) (events.Payload, error) {
		now, named := NamedBy(last)
		if named {
			there, err := live(ctx, r.Tag, seq)
			if err != nil {
				return nil, err
			}
			named = there
		}
		if !named {
			now = ""
		}
		switch {
		case now == r.To:
			return nil, nil
		case r.From != "" && now != r.From:
			return nil, ErrMoved
		case named && immutable.Has(r.Tag):
			return nil, &ImmutableError{Tag: r.Tag, Digest: now}
		}
		return events.ImageTagged{Namespace: id.Namespace, Repository: id.Repository, Tag: r.Tag, Digest: r.To,
			RolledBack: &events.RolledBack{From: now, Event: r.Event, Since: r.Since}}, nil
	})
	if errors.Is(err, ErrMoved) {
		err = moved(ctx, log, subject, r.Tag, live)
	}
	return seq, err
}
