// Package asof reads points in time as people and docker clients write them, and finds the
// event that was the last of the log then.
package asof

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

var (
	// ErrPoint: a text is no point in time.
	ErrPoint = errors.New("a point in time is a UTC time such as 20261101T120000Z or 2026-11-01T12:00:00Z, a day such as 2026-11-01 for its beginning, or s and the sequence of an event such as s12345")
	// ErrFuture: a point in time has not come yet.
	ErrFuture = errors.New("that has not happened yet")
)

// A Point is a time, or the sequence of an event.
type Point struct {
	Time time.Time // zero: Seq counts
	Seq  uint64
}

// String is the point as it stands in tags, in UTC and whole seconds.
func (p Point) String() string {
	if p.Time.IsZero() {
		return "s" + strconv.FormatUint(p.Seq, 10)
	}
	return p.Time.UTC().Format(basic)
}

// basic is ISO 8601 in its basic format: a tag has no colon.
const basic = "20060102T150405Z"

// Parse reads a point in time. ErrPoint.
func Parse(text string) (Point, error) {
	if digits, ok := strings.CutPrefix(text, "s"); ok {
		seq, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || seq == 0 {
			return Point{}, fmt.Errorf("%.100q: %w", text, ErrPoint)
		}
		return Point{Seq: seq}, nil
	}
	for _, layout := range []string{basic, time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return Point{Time: t.UTC()}, nil
		}
	}
	return Point{}, fmt.Errorf("%.100q: %w", text, ErrPoint)
}

// Past is nil when the point has come in a log that ends with that event. ErrFuture.
func (p Point) Past(end uint64) error {
	if p.Time.After(time.Now()) {
		return fmt.Errorf("%s: %w", p, ErrFuture)
	}
	if p.Seq > end {
		return fmt.Errorf("event %d: the log ends with event %d: %w", p.Seq, end, ErrFuture)
	}
	return nil
}

// Cut parts a reference such as latest.asof.s12345 into the tag and the point in time; ok
// is false when it has none. ErrPoint.
func Cut(ref string) (tag string, p Point, ok bool, err error) {
	k := strings.LastIndex(ref, repository.AsOf)
	if k < 0 {
		return ref, p, false, nil
	}
	p, err = Parse(ref[k+len(repository.AsOf):])
	return ref[:k], p, true, err
}

// Times finds events by their times: trail.Reader.
type Times interface {
	// At is the first sequence whose time is not before t, or one more than the last.
	At(ctx context.Context, t time.Time) (uint64, error)
}

// A Log finds the event that was its last at a point in time. All fields are required.
type Log struct {
	End   command.End
	Times Times
	// Views are the progress of Times and of the read models that are asked for what was
	// there: they have the event before they are asked.
	Views []command.Follower
}

// Last is the sequence of the last event at a point in time; 0 when there was none yet. An
// event at the very time counts. ErrFuture.
func (l Log) Last(ctx context.Context, p Point) (seq uint64, err error) {
	end, err := l.End.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	if err := p.Past(end); err != nil {
		return 0, err
	}
	command.CatchUp(ctx, l.End, l.Views...)
	if seq = p.Seq; !p.Time.IsZero() {
		first, err := l.Times.At(ctx, p.Time.Add(time.Microsecond))
		if err != nil {
			return 0, err
		}
		seq = first - 1
	}
	for _, v := range l.Views {
		// With a time, what a read model lacks may be from before it.
		if at := v.Position(); at < seq || !p.Time.IsZero() && at < end {
			return 0, fmt.Errorf("a read model has event %d of %d: %w", at, end, context.DeadlineExceeded)
		}
	}
	return seq, nil
}
