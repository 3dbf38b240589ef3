package openapi

import (
	"context"
	"errors"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
)

// An Answer has a body and nothing else.
type Answer[T any] struct{ Body T }

// Show answers with a body.
func Show[T any](body T) *Answer[T] { return &Answer[T]{body} }

// A Change answers a change that has nothing to show.
type Change struct {
	Sequence uint64 `header:"Hubledger-Sequence" doc:"Sequence of the change in the log"`
	Body     apitypes.Change
}

// A ChangeWith answers a change that has something to show, with its own seq.
type ChangeWith[T any] struct {
	Sequence uint64 `header:"Hubledger-Sequence" doc:"Sequence of the change in the log"`
	Body     T
}

// ShowChange answers the change of that sequence with a body.
func ShowChange[T any](seq uint64, body T) *ChangeWith[T] { return &ChangeWith[T]{seq, body} }

// Outcome is a command's error, once its change can be read back; or the change of somebody
// else that it was refused for, as far as that can be waited for.
func (a *API) Outcome(ctx context.Context, seq uint64, err error) error {
	var changed *command.ChangedError
	if errors.As(err, &changed) {
		a.Readable(ctx, changed.Seq)
	}
	if err != nil {
		return err
	}
	return a.Readable(ctx, seq)
}

// Changed answers a command's outcome.
func (a *API) Changed(ctx context.Context, seq uint64, err error) (*Change, error) {
	if err := a.Outcome(ctx, seq, err); err != nil {
		return nil, err
	}
	return &Change{seq, apitypes.Change{Seq: seq}}, nil
}
