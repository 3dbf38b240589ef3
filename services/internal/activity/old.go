package activity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
// finds it. So it is copied again at each start, which changes nothing that is
// newer here.
func takeOver(ctx context.Context, ops *operations.Store) error {
	if !ops.Alone() {
		return takeOverSchema(ctx, ops)
	}
	path := filepath.Join(ops.Dir(), oldFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := takeOverFile(ctx, ops, path); err != nil {
		return fmt.Errorf("copy what an older version kept in %s: %w; it only says when tokens were last used, and has answers of the last 24 hours "+
			"by Idempotency-Key: move the file away to start without them", path, err)
	}
	return nil
}

func takeOverFile(ctx context.Context, ops *operations.Store, path string) error {
	old, err := operations.OpenFile(path)
	if err != nil {
		return err
	}
	err = ops.Change(ctx, operations.NoLock, func(t *operations.Tx) error {
		return errors.Join(copyUsed(ctx, old, t), copyAnswers(ctx, old, t))
	})
	return errors.Join(err, old.Close())
}

func copyUsed(ctx context.Context, old *sql.DB, t *operations.Tx) error {
	return eachOld(ctx, old, func(rows *sql.Rows) error {
		var credential string
		var latest int64
		if err := rows.Scan(&credential, &latest); err != nil {
			return err
		}
		return writeUse(t, credential, latest)
	}, "used", "credential, latest")
}

func copyAnswers(ctx context.Context, old *sql.DB, t *operations.Tx) error {
	return eachOld(ctx, old, func(rows *sql.Rows) error {
		var id, owner, request, answer []byte
		var claim string
		var until int64
		if err := rows.Scan(&id, &owner, &request, &claim, &until, &answer); err != nil {
			return err
		}
		_, err := t.Exec(`INSERT INTO answers (id, owner, request, claim, until, answer) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, id, owner, request, claim, until, answer)
		return err
	}, "answers", "id, owner, request, claim, until, answer")
}

// eachOld calls scan for each row of a table of the old file, which may end
// before the table was made.
func eachOld(ctx context.Context, old *sql.DB, scan func(rows *sql.Rows) error, table, columns string) error {
	there := false
	err := operations.EachRow(ctx, old, func(*sql.Rows) error { there = true; return nil },
		`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1`, table)
	if err != nil || !there {
		return err
	}
	return operations.EachRow(ctx, old, scan, `SELECT `+columns+` FROM `+table)
}

// takeOverSchema is one transaction, which nodes that start at once make one
// after another.
func takeOverSchema(ctx context.Context, ops *operations.Store) error {
	const alone = operations.Lock(`SELECT pg_advisory_xact_lock(hashtext('` + oldSchema + `'))`)
	return ops.Change(ctx, alone, func(t *operations.Tx) error {
		there := false
		err := t.Query(func(*sql.Rows) error { there = true; return nil },
			`SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1`, oldSchema)
		if err != nil || !there {
			return err
		}
		for _, stmt := range []string{
			`INSERT INTO used (credential, latest) SELECT credential, latest FROM ` + oldSchema + `.used
			 ON CONFLICT (credential) DO UPDATE SET latest = GREATEST(excluded.latest, used.latest)`,
			`INSERT INTO answers (id, owner, request, claim, until, answer)
			 SELECT id, owner, request, claim, until, answer FROM ` + oldSchema + `.answers ON CONFLICT (id) DO NOTHING`,
		} {
			if _, err := t.Exec(stmt); err != nil {
				return err
			}
		}
		return nil
	})
}
