package operations

import (
	"context"
	"database/sql"
)

// The sequence up to which this hub has followed the log: the only witness of
// the log's length that is neither derived from the log nor stored beside it.
const seen = `
CREATE TABLE IF NOT EXISTS log_seen (
	id         BIGINT NOT NULL PRIMARY KEY, -- 1
	generation TEXT   NOT NULL,             -- of the log
	seq        BIGINT NOT NULL
);
`

// SeeLog notes that the log of a generation has had an event of that sequence.
// Of one generation the highest sequence stays.
func (s *Store) SeeLog(ctx context.Context, generation string, seq uint64) error {
	return s.Change(ctx, NoLock, func(t *Tx) error {
		_, err := t.Exec(`INSERT INTO log_seen (id, generation, seq) VALUES (1, $1, $2)
			ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, seq = excluded.seq
			WHERE log_seen.generation <> excluded.generation OR log_seen.seq < excluded.seq`, generation, int64(seq))
		return err
	})
}

// SeenLog is what SeeLog noted last; zero when that is nothing.
func (s *Store) SeenLog(ctx context.Context) (generation string, seq uint64, err error) {
	err = s.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&generation, &seq) }, `SELECT generation, seq FROM log_seen`)
	return generation, seq, err
}
