package server

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/audit"
	"hubledger/services/audit/tree"
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
		// What cannot be read is found when the service audit compares it.
		if _, c, err := n.audit.Signing.Dir.Signed(); err == nil {
			yield("the last signed checkpoint", n.log.Generation(), uint64(c.N))
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

// signing is what the service audit needs to sign the log.
func (n *Node) signing() audit.Signing {
	if n.log == nil { // see declared
		return audit.Signing{}
	}
	kept := n.models.Of(&journal.Projection)
	s := audit.Signing{Dir: tree.Of(n.Data, n.log.Generation()), Hub: "hubledger", Generation: n.log.Generation(),
		Journal: readmodel.Unprepared{Model: kept}, ReadOnly: n.log.ReadOnly, Logger: n.Logger,
		End: func(ctx context.Context) (uint64, error) {
			last, err := n.log.LastSeq(ctx)
			if err != nil {
				return 0, err
			}
			return last, kept.Wait(ctx, last)
		},
		Distrust: func(reason error) { n.log.SetReadOnly(streams.NotAsSigned(reason)) }}
	if n.Public != nil {
		s.Hub = n.Public.Host
	}
	if n.secrets != nil {
		s.Secrets = n.secrets
	}
	if before := n.log.Follows(); before != "" {
		s.Before = &tree.Before{Dir: tree.Of(n.Data, before), Kept: n.log.Kept()}
	}
	return s
}

// signLast signs what came since the last checkpoint when the node stops, if it ran.
func (n *Node) signLast(ctx context.Context) {
	if !n.signs {
		return
	}
	if err := n.await("the last checkpoint", func() error { return n.audit.Sign(ctx) }); err != nil {
		n.Logger.Error("the end of the log is not signed; the next start signs it", "error", err)
	}
}
