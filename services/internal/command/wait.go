package command

import (
	"context"
	"fmt"
)

// A Wait returns when the read models that a client may look at next have
// committed the event of that sequence; its errors are *UnreadableError.
type Wait func(ctx context.Context, seq uint64) error

// An UnreadableError says that a change was made, but could not be read back in
// time. The change stands.
type UnreadableError struct {
	Seq uint64 // of the change in the log
	Err error  // why the read models do not show it
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("the change was made and is event %d of the log, but it takes long until it can be read back", e.Seq)
}

func (e *UnreadableError) Unwrap() error { return e.Err }
