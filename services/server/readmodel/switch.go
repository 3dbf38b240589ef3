package readmodel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// Switch makes the build live that was prepared, or with back the one that was live
// before. It stops the model for that. Queries and waits that come meanwhile are
// answered from the build that is live then.
func (m *Model) Switch(ctx context.Context, back bool) error {
	move := m.set.storage.Switch
	if back {
		move = m.set.storage.Back
	}
	last, err := m.set.Log.LastSeq(ctx)
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

func (m *Model) exchange(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	m.switching.Lock()
	defer m.switching.Unlock()
	m.current.stop()
	<-m.current.done
	if err := m.Close(); err != nil {
		m.set.Logger.Warn("close a build", "projection", m.Projection.Name, "error", err)
	}
	err := m.moveUnused(ctx, move)
	if oerr := m.open(ctx, m.set.storage, m.set.Log.Generation()); oerr != nil {
		return errors.Join(err, fmt.Errorf("projection %s cannot be opened any more, restart the hub: %w", m.Projection.Name, oerr))
	}
	m.start()
	if m.OnCommit != nil {
		m.OnCommit(projections.Commit{}, false) // drops caches, which the new build may contradict
	}
	return err
}

// moveUnused tries move for a while, because queries whose rows are still being
// read keep a build open.
func (m *Model) moveUnused(ctx context.Context, move func(context.Context, *projections.Projection) error) error {
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		err := move(ctx, m.Projection)
		if !errors.Is(err, projections.ErrInUse) || wait > time.Second {
			return err
		}
		time.Sleep(wait)
	}
}
