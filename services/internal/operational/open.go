package operational

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// OpenSQLite opens the store in one file, which it makes if needed. A commit
// survives the end of the process; the last ones may be lost when the power fails.
func OpenSQLite(ctx context.Context, path string) (*Store, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the activity store: %w", err)
	}
	return open(ctx, db, func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, schema)
		return err
	})
}

// pgSchema is the PostgreSQL schema that the tables are in.
const pgSchema = "hubledger_activity"

// OpenPostgres opens the store in a PostgreSQL database that several nodes may
// share. Its tables are in a schema of their own.
func OpenPostgres(ctx context.Context, url string) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open the activity store: %w", err)
	}
	cfg.RuntimeParams["search_path"] = pgSchema
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(8)
	return open(ctx, db, makeTables)
}

// makeTables keeps nodes that start at the same moment apart: "if not exists"
// alone fails for one of them.
func makeTables(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, stmt := range []string{
		`SELECT pg_advisory_xact_lock(hashtext('` + pgSchema + `'))`,
		`CREATE SCHEMA IF NOT EXISTS ` + pgSchema,
		schema,
	} {
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return tx.Commit()
}
