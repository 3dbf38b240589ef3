package activity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"hubledger/services/internal/operations"
)

// Where older versions kept activity: a file in the data directory, or a
// schema in the database.
const (
	oldFile   = "activity.db"
	oldSchema = "hubledger_activity"
)

// takeOver copies what an older version kept into the operational store. The
// old store stays: nodes of that version may still run on it, and going back
// finds it. So each start copies again, but only what is not here, or newer
// there; answers that have expired are not copied.
func takeOver(ctx context.Context, ops *operations.Store, now time.Time) error {
	if !ops.Alone() {
		return takeOverSchema(ctx, ops, now)
	}
	path := filepath.Join(filepath.Dir(ops.File()), oldFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := takeOverFile(ctx, ops, path, now); err != nil {
		return fmt.Errorf("copy what an older version kept in %s: %w; it only says when tokens were last used, and has answers of the last 24 hours "+
			"by Idempotency-Key: move the file away to start without them", path, err)
	}
	return nil
}

// missingUses selects what the table of the old store has and the present one
// has not, or has older; in order, as writeUsed writes. Both prefixes name
// schemas, with their dot.
func missingUses(old, present string) string {
	return `SELECT o.credential, o.latest FROM ` + old + `used AS o LEFT JOIN ` + present + `used AS n ON n.credential = o.credential
		WHERE n.latest IS NULL OR n.latest < o.latest ORDER BY o.credential`
}

// missingAnswers selects the answers that have not expired, $1, and are not in
// the present store.
func missingAnswers(old, present string) string {
	return `SELECT o.id, o.owner, o.request, o.claim, o.until, o.answer FROM ` + old + `answers AS o
		WHERE o.until > $1 AND NOT EXISTS (SELECT 1 FROM ` + present + `answers AS n WHERE n.id = o.id)`
}

func takeOverFile(ctx context.Context, ops *operations.Store, path string, now time.Time) error {
	db, err := operations.OpenFile(path)
	if err != nil {
		return err
	}
	defer db.Close()
	old, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer old.Close()
	if _, err := old.ExecContext(ctx, `ATTACH $1 AS present`, ops.File()); err != nil {
		return err
	}
	return ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		return errors.Join(copyUsed(ctx, old, t), copyAnswers(ctx, old, t, now))
	})
}

func copyUsed(ctx context.Context, old *sql.Conn, t *operations.Tx) error {
	if there, err := hasColumn(ctx, old, "used", "latest"); err != nil || !there {
		return err
	}
	return operations.EachRow(ctx, old, func(rows *sql.Rows) error {
		var credential string
		var latest int64
		if err := rows.Scan(&credential, &latest); err != nil {
			return err
		}
		return writeUse(t, credential, latest)
	}, missingUses("main.", "present."))
}

func copyAnswers(ctx context.Context, old *sql.Conn, t *operations.Tx, now time.Time) error {
	// Those of the first version do not say whose they are: they are not taken over.
	if there, err := hasColumn(ctx, old, "answers", "owner"); err != nil || !there {
		return err
	}
	return operations.EachRow(ctx, old, func(rows *sql.Rows) error {
		var id, owner, request, answer []byte
		var claim string
		var until int64
		if err := rows.Scan(&id, &owner, &request, &claim, &until, &answer); err != nil {
			return err
		}
		_, err := t.Exec(`INSERT INTO answers (id, owner, request, claim, until, answer) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, id, owner, request, claim, until, answer)
		return err
	}, missingAnswers("main.", "present."), operations.Micros(now))
}

// hasColumn says whether the old file has a table with a column: its making may have been
// broken off before.
func hasColumn(ctx context.Context, old *sql.Conn, table, column string) (there bool, err error) {
	err = operations.EachRow(ctx, old, func(*sql.Rows) error { there = true; return nil },
		`SELECT 1 FROM pragma_table_info($1, 'main') WHERE name = $2`, table, column)
	return there, err
}

// takeOverSchema is one transaction, which nodes that start at once make one
// after another.
func takeOverSchema(ctx context.Context, ops *operations.Store, now time.Time) error {
	const alone = operations.Lock(`SELECT pg_advisory_xact_lock(hashtext('` + oldSchema + `'))`)
	return ops.Change(ctx, alone, func(t *operations.Tx) error {
		there := false
		err := t.Query(func(*sql.Rows) error { there = true; return nil },
			`SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1`, oldSchema)
		if err != nil || !there {
			return err
		}
		_, err = t.Exec(`INSERT INTO used (credential, latest) ` + missingUses(oldSchema+".", "") + `
			ON CONFLICT (credential) DO UPDATE SET latest = GREATEST(excluded.latest, used.latest)`)
		owned := false
		if err == nil {
			err = t.Query(func(*sql.Rows) error { owned = true; return nil },
				`SELECT 1 FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'answers' AND column_name = 'owner'`, oldSchema)
		}
		if err != nil || !owned {
			return err
		}
		_, err = t.Exec(`INSERT INTO answers (id, owner, request, claim, until, answer) `+missingAnswers(oldSchema+".", "")+`
			ON CONFLICT (id) DO NOTHING`, operations.Micros(now))
		return err
	})
}
