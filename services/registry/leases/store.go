package leases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Store is the operational store. Its methods may be called concurrently.
type Store struct {
	db      *sql.DB
	mem     *mirror // the fences in memory; nil when other nodes write too
	change  changer
	unpins  chan Pin
	node    string
	created time.Time
	work    sync.WaitGroup
	quit    chan struct{}
	closing sync.Once
	closed  error
}

// Node is this store's id: random, made with the store, and kept with it.
func (s *Store) Node() string { return s.node }

// Created is when this store was made. Before that nobody knows who held
// what: garbage collection rests for one lease term from then on.
func (s *Store) Created() time.Time { return s.created }

// begin reads or makes what a store is told apart by, and starts its work.
func (s *Store) begin(ctx context.Context) error {
	err := s.change.run(ctx, givesMarks, func(t *tx) error {
		_, err := t.exec(`INSERT INTO meta (id, node, created) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`,
			uuid.NewString(), micros(time.Now()))
		if err != nil {
			return err
		}
		return t.query(func(rows *sql.Rows) error {
			var created int64
			err := rows.Scan(&s.node, &created)
			s.created = fromMicros(created)
			return err
		}, `SELECT node, created FROM meta`)
	})
	if err != nil {
		return fmt.Errorf("open operational store: %w", err)
	}
	s.unpins, s.quit = make(chan Pin, 1024), make(chan struct{})
	s.work.Go(s.dropPins)
	return nil
}

// Close ends what runs in the background and closes the database. What is
// called afterwards fails.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.quit)
		s.work.Wait()
		s.closed = errors.Join(s.change.close(), s.db.Close())
	})
	return s.closed
}
