package operational

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
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

func (s *Store) writeUsed(ctx context.Context, touched map[string]time.Time) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// In order, so that two nodes that write the same ones do not wait for each other in a circle.
	for _, credential := range slices.Sorted(maps.Keys(touched)) {
		_, err := tx.ExecContext(ctx, `INSERT INTO used (credential, latest) VALUES ($1, $2) ON CONFLICT (credential) DO UPDATE
			SET latest = CASE WHEN excluded.latest > used.latest THEN excluded.latest ELSE used.latest END`,
			credential, micros(touched[credential]))
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// LastUsed says when credentials were last used, to the second or better.
// Those that never were are not in the answer.
func (s *Store) LastUsed(ctx context.Context, ids ...string) (map[string]time.Time, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	used := map[string]time.Time{}
	for _, id := range ids {
		rows, err := s.db.QueryContext(ctx, `SELECT latest FROM used WHERE credential = $1`, id)
		if err != nil {
			return nil, fmt.Errorf("read when credentials were used: %w", err)
		}
		var latest int64
		for rows.Next() {
			err = rows.Scan(&latest)
			used[id] = time.UnixMicro(latest).UTC()
		}
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = rows.Err()
		}
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
	for _, id := range ids {
		if _, err := s.db.ExecContext(ctx, `DELETE FROM used WHERE credential = $1`, id); err != nil {
			return fmt.Errorf("forget when a credential was used: %w", err)
		}
	}
	return nil
}
