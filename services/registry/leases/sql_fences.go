package leases

import (
	"database/sql"

	"hubledger/services/internal/operations"
)

// sqlFences decides by the tables, below the transaction's lock.
type sqlFences struct{ t *operations.Tx }

func (f sqlFences) leaving(ds []packed) (marked []packed, err error) {
	err = eachChunk(ds, func(chunk []packed) error {
		return f.t.Query(func(rows *sql.Rows) error {
			var raw []byte
			err := rows.Scan(&raw)
			marked = append(marked, packed(raw))
			return err
		}, `SELECT digest FROM leaving WHERE digest IN `+list(1, len(chunk)), args(chunk)...)
	})
	return marked, err
}

func (f sqlFences) claim(d packed, now int64) (bool, error) {
	free := true
	err := f.t.Query(func(*sql.Rows) error { free = false; return nil },
		`SELECT 1 FROM leases WHERE digest = $1 AND until > $2 UNION ALL SELECT 1 FROM pins WHERE digest = $1 AND until > $2`,
		[]byte(d), now)
	return free, err
}

func (f sqlFences) lease(repo string, d packed) (until int64, ok bool, err error) {
	err = f.t.Query(func(rows *sql.Rows) error { ok = true; return rows.Scan(&until) },
		`SELECT until FROM leases WHERE repository = $1 AND digest = $2`, repo, []byte(d))
	return until, ok, err
}
