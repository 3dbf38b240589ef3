package openapi

import (
	"context"

	"hubledger/services/internal/apitypes"
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

// Changed answers a command's outcome once the change can be read back.
func (a *API) Changed(ctx context.Context, seq uint64, err error) (*Change, error) {
	if err == nil {
		err = a.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	return &Change{seq, apitypes.Change{Seq: seq}}, nil
}
