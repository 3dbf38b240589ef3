package pulls

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"hubledger/services/internal/operations"
)

// A Store keeps pull counts. Its methods may be called concurrently.
type Store struct {
	ops     *operations.Store
	maxRows int // as the constant
}

// Open keeps pull counts in the operational store.
func Open(ctx context.Context, ops *operations.Store) (*Store, error) {
	if err := ops.Define(ctx, schema); err != nil {
		return nil, fmt.Errorf("open the pull counts: %w", err)
	}
	return &Store{ops, maxRows}, nil
}

// Node is the id of the node, or of the nodes that share the store, whose
// pulls are counted here.
func (s *Store) Node() string { return s.ops.Node() }

// The tables, in words that SQLite and PostgreSQL share. Times are
// microseconds since 1970 UTC.
const schema = `
CREATE TABLE IF NOT EXISTS pulls (
	hour       BIGINT NOT NULL,
	repository TEXT   NOT NULL,
	tag        TEXT   NOT NULL, -- '' for pulls by digest
	n          BIGINT NOT NULL,
	latest     BIGINT NOT NULL,
	PRIMARY KEY (hour, repository, tag)
);
CREATE TABLE IF NOT EXISTS manifest_pulls (
	hour       BIGINT NOT NULL,
	repository TEXT   NOT NULL,
	digest     TEXT   NOT NULL,
	n          BIGINT NOT NULL,
	latest     BIGINT NOT NULL,
	PRIMARY KEY (hour, repository, digest)
);
CREATE TABLE IF NOT EXISTS pull_hours (
	hour  BIGINT NOT NULL PRIMARY KEY, -- no longer counted into
	event TEXT   NOT NULL
);
`

// What a transaction locks on a shared database before it decides.
const (
	countsHour = operations.Lock("LOCK TABLE pull_hours IN ROW SHARE MODE") // with others that do
	closesHour = operations.Lock("LOCK TABLE pull_hours IN EXCLUSIVE MODE") // alone
)

// A table of counts; column is what they are counted by.
type table struct{ name, column string }

var (
	byTag      = table{"pulls", "tag"}
	byManifest = table{"manifest_pulls", "digest"}
	tables     = []table{byTag, byManifest}
)

// adding makes an INSERT add to the row that is there.
func (t table) adding() string {
	return ` ON CONFLICT (hour, repository, ` + t.column + `) DO UPDATE SET n = ` + t.name + `.n + excluded.n,
		latest = CASE WHEN excluded.latest > ` + t.name + `.latest THEN excluded.latest ELSE ` + t.name + `.latest END`
}

// maxRows bounds what one event lists, so that it stays a message of a few
// megabytes: counts by tag, and as many by manifest.
const maxRows = 8_000

// carry moves what is beyond max rows out of an hour that is being closed.
func carry(t *operations.Tx, hour time.Time, max int) error {
	closed, err := closedHours(t)
	if err != nil {
		return err
	}
	from, to := operations.Micros(hour), operations.Micros(hour)
	for next := hour; closed[to]; to = operations.Micros(next) {
		next = next.Add(time.Hour)
	}
	for _, in := range tables {
		var repository, what string
		more := false
		err := t.Query(func(rows *sql.Rows) error { more = true; return rows.Scan(&repository, &what) },
			`SELECT repository, `+in.column+` FROM `+in.name+` WHERE hour = $1 ORDER BY repository, `+in.column+` LIMIT 1 OFFSET $2`, from, max)
		if err != nil {
			return err
		}
		if !more {
			continue
		}
		rest := ` WHERE hour = $1 AND (repository, ` + in.column + `) >= ($2, $3)`
		columns := `repository, ` + in.column + `, n, latest`
		if _, err := t.Exec(`INSERT INTO `+in.name+` (hour, `+columns+`) SELECT CAST($4 AS BIGINT), `+columns+` FROM `+in.name+rest+in.adding(), from, repository, what, to); err != nil {
			return err
		}
		if _, err := t.Exec(`DELETE FROM `+in.name+rest, from, repository, what); err != nil {
			return err
		}
	}
	return nil
}
