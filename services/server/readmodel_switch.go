package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// switchTo stops the read model, lets move exchange its builds, and starts the
// build that is live then. Queries and waits that come meanwhile are answered
// from that build.
func (m *readModel) switchTo(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	last, err := m.node.log.LastSeq(ctx)
	if err != nil {
		return err
	}
	if err := m.exchange(ctx, move); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := m.Wait(ctx, last); err != nil && !errors.Is(err, projections.ErrParked) {
		return fmt.Errorf("the new build is live, but behind the log: %w", err)
	}
	return nil
}

func (m *readModel) exchange(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	m.switching.Lock()
	defer m.switching.Unlock()
	m.current.stop()
	<-m.current.done
	if err := m.close(); err != nil {
		m.node.Logger.Warn("close a build", "projection", m.projection.Name, "error", err)
	}
	err := m.moveUnused(ctx, move)
	if oerr := m.open(ctx, m.node.storage, m.node.log.Generation()); oerr != nil {
		return errors.Join(err, fmt.Errorf("projection %s cannot be opened any more, restart the hub: %w", m.projection.Name, oerr))
	}
	m.start(m.node.ending)
	if m.onCommit != nil {
		m.onCommit(projections.Commit{}, false) // drops caches, which the new build may contradict
	}
	return err
}

// moveUnused tries move for a while, because queries whose rows are still being
// read keep a build open.
func (m *readModel) moveUnused(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		err := move(ctx, m.projection)
		if !errors.Is(err, projections.ErrInUse) || wait > time.Second {
			return err
		}
		time.Sleep(wait)
	}
}
