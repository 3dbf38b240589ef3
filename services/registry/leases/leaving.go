package leases

import (
	"context"
	"database/sql"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// MarkLeaving marks as leaving those of the blobs that have no live lease or
// pin, and returns them, also those that were marked before, and with an error
// those marked until then. A marked blob can be neither leased nor pinned until
// ClearLeaving.
func (s *Store) MarkLeaving(ctx context.Context, ds []digest.Digest) (marked []digest.Digest, err error) {
	ps, err := packAll(ds)
	if err != nil {
		return nil, err
	}
	// In small transactions: pushes wait while marks are given.
	err = eachChunk(ps, func(chunk []packed) error {
		var given []packed
		err := s.change(ctx, givesMarks, func(t *tx) (err error) {
			given, err = t.mark(chunk)
			return err
		})
		marked = append(marked, unpackAll(given)...)
		return err
	})
	return marked, err
}

func (t *tx) mark(ds []packed) (given []packed, err error) {
	now := operations.Micros(time.Now())
	for _, d := range ds {
		free, err := t.fences.claim(d, now)
		if err != nil {
			return nil, err
		}
		if !free {
			continue
		}
		if _, err := t.Exec(`INSERT INTO leaving (digest, since) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, []byte(d), now); err != nil {
			return nil, err
		}
		given = append(given, d)
	}
	return given, nil
}

// Leaving lists the leaving marks. Those older than this process are of a
// collection that was interrupted.
func (s *Store) Leaving(ctx context.Context) (marks []Mark, err error) {
	err = s.change(ctx, noLock, func(t *tx) error {
		marks = nil
		return t.Query(func(rows *sql.Rows) error {
			var raw []byte
			var since int64
			err := rows.Scan(&raw, &since)
			marks = append(marks, Mark{unpack(raw), operations.Time(since)})
			return err
		}, `SELECT digest, since FROM leaving ORDER BY digest`)
	})
	return marks, err
}

// IsLeaving says whether a blob has a leaving mark: it reads as absent then.
func (s *Store) IsLeaving(ctx context.Context, d digest.Digest) (marked bool, err error) {
	raw, err := pack(d)
	if err != nil {
		return false, err
	}
	if s.mem != nil {
		found, err := s.mem.leaving([]packed{packed(raw)})
		return len(found) > 0, err
	}
	err = s.ops.Query(ctx, func(*sql.Rows) error { marked = true; return nil },
		`SELECT 1 FROM leaving WHERE digest = $1`, raw)
	return marked, err
}

// ClearLeaving takes marks away: the blobs are gone, or shall stay.
func (s *Store) ClearLeaving(ctx context.Context, ds ...digest.Digest) error {
	ps, err := packAll(ds)
	if err != nil {
		return err
	}
	return s.change(ctx, noLock, func(t *tx) error {
		return eachChunk(ps, func(chunk []packed) error {
			if _, err := t.Exec(`DELETE FROM leaving WHERE digest IN `+list(1, len(chunk)), args(chunk)...); err != nil {
				return err
			}
			if t.mem != nil {
				for _, d := range chunk {
					t.mem.clear(d)
				}
			}
			return nil
		})
	})
}

// clearedPoll is how often a mark on a shared database is looked for while
// someone waits for its end.
const clearedPoll = 50 * time.Millisecond

// WaitCleared returns when a blob has no leaving mark, or with ctx.
func (s *Store) WaitCleared(ctx context.Context, d digest.Digest) error {
	for {
		marked, err := s.IsLeaving(ctx, d)
		if err != nil || !marked {
			return err
		}
		var cleared <-chan struct{}
		var poll <-chan time.Time
		if s.mem != nil {
			cleared = s.mem.clearing(d)
		} else {
			poll = time.After(clearedPoll)
		}
		select {
		case <-cleared:
		case <-poll:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// clearing returns a channel that is closed when d has no mark.
func (m *mirror) clearing(d digest.Digest) <-chan struct{} {
	raw, _ := pack(d) // IsLeaving has checked it
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.byDigest[packed(raw)]
	if f == nil || f.since == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if f.cleared == nil {
		f.cleared = make(chan struct{})
	}
	return f.cleared
}
