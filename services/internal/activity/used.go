package activity

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"hubledger/services/internal/operations"
)

// maxTouched bounds what waits to be written. Beyond that, uses are not noted.
const maxTouched = 100_000

// Touch notes that a credential was used. It is written within a second by
// Run, or by Close.
func (s *Store) Touch(credential string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, known := s.touched[credential]
	if at.After(was) && (known || len(s.touched) < maxTouched) {
		s.touched[credential] = at
	}
}

// Flush writes what was touched. When it fails, that is kept for the next time.
func (s *Store) Flush(ctx context.Context) error {
	s.flushes.Lock()
	defer s.flushes.Unlock()
	s.mu.Lock()
	touched := s.touched
	s.touched = make(map[string]time.Time, len(touched))
	s.mu.Unlock()
	if len(touched) == 0 {
		return nil
	}
	if err := s.writeUsed(ctx, touched); err != nil {
		for credential, at := range touched {
			s.Touch(credential, at)
		}
		return fmt.Errorf("note when credentials were used: %w", err)
	}
	return nil
}

// flushRows bounds the rows of one change: others wait behind it.
const flushRows = 500

func (s *Store) writeUsed(ctx context.Context, touched map[string]time.Time) error {
	// In order, so that two nodes that write the same ones do not wait for each other in a circle.
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(touched)), flushRows) {
		err := s.ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
			for _, credential := range chunk {
				if err := writeUse(t, credential, operations.Micros(touched[credential])); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func writeUse(t *operations.Tx, credential string, latest int64) error {
	_, err := t.Exec(`INSERT INTO used (credential, latest) VALUES ($1, $2) ON CONFLICT (credential) DO UPDATE
		SET latest = excluded.latest WHERE excluded.latest > used.latest`, credential, latest)
	return err
}

// LastUsed says when credentials were last used, to the second or better.
// Those that never were are not in the answer.
func (s *Store) LastUsed(ctx context.Context, ids ...string) (map[string]time.Time, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	used := map[string]time.Time{}
	for _, id := range ids {
		err := s.ops.Query(ctx, func(rows *sql.Rows) error {
			var latest int64
			err := rows.Scan(&latest)
			used[id] = operations.Time(latest)
			return err
		}, `SELECT latest FROM used WHERE credential = $1`, id)
		if err != nil {
			return nil, fmt.Errorf("read when credentials were used: %w", err)
		}
	}
	return used, nil
}

// Forget takes away when credentials were used: of those that are gone.
func (s *Store) Forget(ctx context.Context, ids ...string) error {
	s.mu.Lock()
	for _, id := range ids {
		delete(s.touched, id)
	}
	s.mu.Unlock()
	err := s.ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		for _, id := range slices.Sorted(slices.Values(ids)) {
			if _, err := t.Exec(`DELETE FROM used WHERE credential = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget when credentials were used: %w", err)
	}
	return nil
}
