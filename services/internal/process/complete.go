package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"hubledger/events"
)

// conflicts bounds how often the subject may move on before the append gives
// way to a later attempt.
const conflicts = 10

// complete appends the event that completes a task, once, whatever else is
// appended to its subject, and returns its sequence.
//
// What the append expects is kept before it is tried, and tried until the log
// says either that the event is there (from an earlier attempt, whose answer
// was lost) or that another one followed what was expected. Only then is
// something else expected: at no time can two attempts both succeed. When the
// store was lost, or its last commits with the power, the event is still found
// if it is its subject's last one.
func (r *Runner) complete(ctx context.Context, t *row, c *Completion) (uint64, error) {
	e, err := events.New(c.Event, events.Meta{ID: cmp.Or(c.ID, EventID(r.m.Name, t.Task)), Source: r.m.Source, Actor: "system",
		Cause: t.Cause, Correlation: cmp.Or(t.Correlation, t.Cause)})
	if err != nil {
		return 0, err
	}
	for range conflicts {
		if t.expect == noExpectation {
			last, err := r.Log.Last(ctx, e.Subject)
			if err != nil {
				return 0, &outerError{err}
			}
			switch {
			case last == nil:
				t.expect = 0
			case last.ID() == e.ID():
				return last.Seq, nil
			default:
				t.expect = int64(last.Expect())
			}
			if err := r.keep(ctx, *t); err != nil {
				return 0, &outerError{err}
			}
		}
		seq, err := r.Log.Append(ctx, e, uint64(t.expect))
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
		t.expect = noExpectation
	}
	return 0, fmt.Errorf("append %s: %w, %d times in a row", e.Type(), events.ErrConflict, conflicts)
}
