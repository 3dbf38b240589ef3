package command

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrChanged: somebody else has changed what the caller has looked at.
var ErrChanged = errors.New("this has changed since you looked at it")

// A ChangedError is an ErrChanged that says who has changed it, and when.
type ChangedError struct {
	Seq  uint64 // of the latest event, 0 for none
	Type string // of that event
	By   string
	At   time.Time
}

func (e *ChangedError) Error() string {
	if e.Seq == 0 {
		return ErrChanged.Error() + ": nothing is set there; set it if you still want to"
	}
	return fmt.Sprintf("%s: %s changed it at %s UTC (event %d, %s); look at it, and set it again if you still want to", ErrChanged, e.By, e.At.UTC().Format(time.DateTime), e.Seq, e.Type)
}

// Is makes it an ErrChanged.
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// changed is the ChangedError of a subject as it is now.
func changed(ctx context.Context, log Log, subject string) error {
	last, err := log.Last(ctx, subject)
	if err != nil {
		return fmt.Errorf("look up %s: %w", subject, err)
	}
	if last == nil {
		return &ChangedError{}
	}
	return &ChangedError{Seq: last.Seq, Type: last.Type(), By: last.Actor(), At: last.Time()}
}
