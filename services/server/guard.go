package server

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/server/readmodel"
	"hubledger/streams"
)

// checkLog is the log guard's first check, before anything is appended or made
// from the log. known are all builds that are stored. A log that the guard does
// not trust is served read-only; docs/log.md says how to repair it.
func (n *Node) checkLog(ctx context.Context, known []projections.Info) error {
	n.guard = &streams.Guard{Log: n.log, Journal: &guardJournal{n.models.Named(journal.Projection.Name)}, Logger: n.Logger, Positions: n.positions}
	first := *n.guard
	first.Positions = func(ctx context.Context, yield func(who, generation string, seq uint64)) error {
		// Of builds that this node does not use, old ones of another log may be left.
		for _, b := range known {
			if b.Generation == n.log.Generation() {
				yield(fmt.Sprintf("projection %s version %d", b.Name, b.Version), b.Generation, b.Position)
			}
		}
		generation, seq, err := n.operations.SeenLog(ctx)
		if err == nil && generation == n.log.Generation() {
			yield("the operational store", generation, seq)
		}
		return errors.Join(err, n.positions(ctx, yield))
	}
	err := first.Check(ctx)
	if errors.Is(err, events.ErrReadOnly) {
		n.Logger.Error("the log guard does not trust the log: the hub is read-only", "error", err)
		return nil
	}
	return err
}

// positions are those of the read models that are open.
func (n *Node) positions(ctx context.Context, yield func(who, generation string, seq uint64)) error {
	for _, m := range n.models.Models() {
		if !m.IsOpen() {
			continue
		}
		store := m.Store()
		position, err := store.Position(ctx)
		if err != nil {
			return err
		}
		yield("projection "+m.Projection.Name, store.Generation(), position)
	}
	return nil
}

// guardJournal gives the guard what it needs of the journal, which may be missing
// at the first check.
type guardJournal struct{ model *readmodel.Model }

func (j *guardJournal) Position(ctx context.Context) (uint64, error) {
	if !j.model.IsOpen() {
		return 0, nil
	}
	return j.model.Store().Position(ctx)
}

func (j *guardJournal) Leaf(ctx context.Context, seq uint64) (events.Leaf, bool, error) {
	leaf, err := journal.Leaf(ctx, j.model.Store().DB(), seq)
	if errors.Is(err, journal.ErrNotFound) {
		return leaf, false, nil
	}
	return leaf, err == nil, err
}
