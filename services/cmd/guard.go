package cmd

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/streams"
)

// checkLog is the guard's first look, before anything is appended. What it
// does not trust is served read-only; see docs/log.md for the way back.
func (h *hub) checkLog(ctx, run context.Context) error {
	j := &guardJournal{h.view("journal")}
	h.guard = &streams.Guard{Log: h.log, Journal: j, Logger: h.Logger,
		Positions: func(ctx context.Context, yield func(name string, seq uint64)) error {
			for _, v := range h.views {
				position, err := v.now().store.Position(ctx)
				if err != nil {
					return err
				}
				yield(v.projection.Name, position)
			}
			return nil
		}}
	err := h.guard.Check(ctx)
	if errors.Is(err, events.ErrReadOnly) {
		h.Logger.Error("the log is not trusted: read-only", "error", err)
		return nil
	}
	return err
}

// guardJournal is the journal as the guard asks it.
type guardJournal struct{ view *view }

func (j *guardJournal) Position(ctx context.Context) (uint64, error) {
	return j.view.now().store.Position(ctx)
}

func (j *guardJournal) Leaf(ctx context.Context, seq uint64) (events.Leaf, bool, error) {
	leaf, err := journal.Leaf(ctx, j.view.db(), seq)
	if errors.Is(err, journal.ErrNotFound) {
		return leaf, false, nil
	}
	return leaf, err == nil, err
}
