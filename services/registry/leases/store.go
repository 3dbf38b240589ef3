package leases

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hubledger/services/internal/operations"
)

// A Store keeps the fences of blobs. Its methods may be called concurrently.
type Store struct {
	ops     *operations.Store
	mem     *mirror // the fences in memory; nil when other nodes write too
	unpins  chan Pin
	work    sync.WaitGroup
	quit    chan struct{}
	closing sync.Once
}

// Open keeps fences in the operational store. Close it before that.
func Open(ctx context.Context, ops *operations.Store) (*Store, error) {
	s := &Store{ops: ops, unpins: make(chan Pin, 1024), quit: make(chan struct{})}
	err := ops.Define(ctx, schema)
	if err == nil && ops.Alone() {
		s.mem = newMirror()
		err = ops.Mirror(ctx, s.mem)
	}
	if err != nil {
		return nil, fmt.Errorf("open the leases: %w", err)
	}
	s.work.Go(s.dropPins)
	return s, nil
}

// Created is when the operational store was made. Before that nobody knows who
// held what: garbage collection rests for one lease term from then on.
func (s *Store) Created() time.Time { return s.ops.Created() }

// Close ends what runs in the background.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.quit)
		s.work.Wait()
	})
	return nil
}
