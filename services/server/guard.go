package server

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/projections/journal"
	"hubledger/streams"
)

// checkLog is the log guard's first check, before anything is appended. A log
// that it does not trust is served read-only; docs/log.md says how to repair it.
func (n *Node) checkLog(ctx context.Context) error {
	j := &guardJournal{n.model(journal.Projection.Name)}
	n.guard = &streams.Guard{Log: n.log, Journal: j, Logger: n.Logger,
		Positions: func(ctx context.Context, yield func(name string, seq uint64)) error {
			for _, m := range n.models {
				position, err := m.now().store.Position(ctx)
				if err != nil {
					return err
				}
				yield(m.projection.Name, position)
			}
			return nil
		}}
	err := n.guard.Check(ctx)
	if errors.Is(err, events.ErrReadOnly) {
		n.Logger.Error("the log guard does not trust the log: the hub is read-only", "error", err)
		return nil
	}
	return err
}

// guardJournal gives the guard what it needs of the journal.
type guardJournal struct{ model *readModel }

func (j *guardJournal) Position(ctx context.Context) (uint64, error) {
	return j.model.now().store.Position(ctx)
}

func (j *guardJournal) Leaf(ctx context.Context, seq uint64) (events.Leaf, bool, error) {
	leaf, err := journal.Leaf(ctx, j.model.db(), seq)
	if errors.Is(err, journal.ErrNotFound) {
		return leaf, false, nil
	}
	return leaf, err == nil, err
}
