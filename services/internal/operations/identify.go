package operations

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// identify reads or makes what a store is told apart by.
func (s *Store) identify(ctx context.Context) error {
	return s.changer.run(ctx, NoLock, func(t *Tx) error {
		_, err := t.Exec(`INSERT INTO meta (id, node, created) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`,
			uuid.NewString(), Micros(time.Now()))
		if err != nil {
			return err
		}
		return t.Query(func(rows *sql.Rows) error {
			var created int64
			err := rows.Scan(&s.node, &created)
			s.created = Time(created)
			return err
		}, `SELECT node, created FROM meta`)
	})
}
