package leases

import (
	"context"
	"database/sql"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// MarkDamaged remembers that a blob's file is not what it should be. The first
// problem found is kept.
func (s *Store) MarkDamaged(ctx context.Context, d digest.Digest, problem string) error {
	raw, err := pack(d)
	if err != nil {
		return err
	}
	return s.change(ctx, noLock, func(t *tx) error {
		_, err := t.Exec(`INSERT INTO damaged (digest, since, problem) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING`,
			raw, operations.Micros(time.Now()), operations.Storable(problem))
		return err
	})
}

// ClearDamaged takes marks away: the blobs were repaired or are gone.
func (s *Store) ClearDamaged(ctx context.Context, ds ...digest.Digest) error {
	ps, err := packAll(ds)
	if err != nil {
		return err
	}
	return s.change(ctx, noLock, func(t *tx) error {
		return eachChunk(ps, func(chunk []packed) error {
			_, err := t.Exec(`DELETE FROM damaged WHERE digest IN `+list(1, len(chunk)), args(chunk)...)
			return err
		})
	})
}

// Damaged lists the blobs that are known to be damaged.
func (s *Store) Damaged(ctx context.Context) (found []Damage, err error) {
	err = s.change(ctx, noLock, func(t *tx) error {
		found = nil
		return t.Query(func(rows *sql.Rows) error {
			var raw []byte
			var since int64
			var problem string
			err := rows.Scan(&raw, &since, &problem)
			found = append(found, Damage{unpack(raw), operations.Time(since), problem})
			return err
		}, `SELECT digest, since, problem FROM damaged ORDER BY digest`)
	})
	return found, err
}
