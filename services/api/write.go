package api

import (
	"context"
	"net/http"
	"strconv"

	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

const sequenceHeader = "Hubledger-Sequence"

// written answers a change that has nothing to show.
type written struct {
	Sequence uint64 `header:"Hubledger-Sequence" doc:"Sequence of the change in the log"`
	Body     writtenBody
}

type writtenBody struct {
	Seq uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

// wrote answers a change with something to show, which has its own seq.
type wrote[T any] struct {
	Sequence uint64 `header:"Hubledger-Sequence" doc:"Sequence of the change in the log"`
	Body     T
}

// by signs a command of the hub.
func by(p access.Principal) command.By { return p.By("/hub") }

// settle waits until a change can be read back. The change stands whatever
// comes of the waiting, and the answer says so.
func (s *API) settle(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	if err := s.Settle.Settle(ctx, seq); err != nil {
		n := strconv.FormatUint(seq, 10)
		return fail(http.StatusServiceUnavailable, "the change was made and is event "+n+" of the log, but it takes long until it can be read back").
			with(sequenceHeader, n).because(err)
	}
	return nil
}

// done waits for a change and answers it.
func (s *API) done(ctx context.Context, seq uint64, err error) (*written, error) {
	if err == nil {
		err = s.settle(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	return &written{seq, writtenBody{seq}}, nil
}
