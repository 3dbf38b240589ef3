package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// A Source is the log as the journal has it. Other read models can be built from
// it without reading the log, also in another process than that of the journal.
type Source struct {
	DB   *sql.DB
	Poll time.Duration // how often to look for more at the end; 0 means 100 ms
}

// LastSeq implements projections.Source.
func (s Source) LastSeq(ctx context.Context) (uint64, error) {
	var seq int64
	err := s.DB.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM events`).Scan(&seq)
	return uint64(seq), err
}

const (
	maxBatch   = 4 << 20 // bytes of data handed over at once
	maxReading = 10_000  // events read in one transaction, which holds back SQLite's checkpoints
)

// Follow implements projections.Source.
func (s Source) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	poll := s.Poll
	if poll == 0 {
		poll = 100 * time.Millisecond
	}
	for {
		last, err := s.read(ctx, after, max, fn)
		if err != nil {
			return err
		}
		if last == after {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(poll):
			}
		}
		after = last
	}
}

// read hands over some of the events after a sequence and returns the last one's.
func (s Source) read(ctx context.Context, after uint64, max int, fn func([]events.Event) error) (uint64, error) {
	rows, err := s.DB.QueryContext(ctx, selectEntry+` WHERE seq > $1 ORDER BY seq LIMIT $2`, int64(after), maxReading)
	if err != nil {
		return after, err
	}
	defer rows.Close()
	var batch []events.Event
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := fn(batch)
		batch, size = make([]events.Event, 0, max), 0
		return err
	}
	for rows.Next() {
		var e Entry
		if err := scan(rows, &e); err != nil {
			return after, err
		}
		if e.Seq != after+1 {
			return after, fmt.Errorf("event %d: %w", after+1, ErrNotFound)
		}
		after = e.Seq
		batch = append(batch, e.Event)
		if size += len(e.Data); len(batch) == max || size > maxBatch {
			if err := flush(); err != nil {
				return after, err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return after, err
	}
	return after, flush()
}

// Leaves calls yield with the leaves of the events behind a sequence up to another one, in
// order. It ends early, without an error, where the journal ends. An event that is missing
// is an error that wraps ErrNotFound.
func Leaves(ctx context.Context, db projections.DB, after, to uint64, yield func(events.Leaf) error) error {
	for after < to {
		end := min(to, after+maxReading)
		last, err := someLeaves(ctx, db, after, end, yield)
		if err != nil || last < end {
			return err
		}
		after = last
	}
	return nil
}

func someLeaves(ctx context.Context, db projections.DB, after, to uint64, yield func(events.Leaf) error) (last uint64, err error) {
	rows, err := db.QueryContext(ctx, `SELECT seq, leaf FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq`, int64(after), int64(to))
	if err != nil {
		return after, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var b sql.RawBytes
		if err := rows.Scan(&seq, &b); err != nil {
			return after, err
		}
		if uint64(seq) != after+1 || len(b) != len(events.Leaf{}) {
			return after, fmt.Errorf("leaf of event %d: %w", after+1, ErrNotFound)
		}
		after = uint64(seq)
		if err := yield(events.Leaf(b)); err != nil {
			return after, err
		}
	}
	return after, rows.Err()
}
