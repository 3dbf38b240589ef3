package operations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// pgSchema is the PostgreSQL schema that the tables are in.
const pgSchema = "hubledger_operational"

// CheckPostgresURL says whether a URL of PostgreSQL can be read. The error may
// show parts of it.
func CheckPostgresURL(url string) error {
	_, err := pgx.ParseConfig(url)
	return err
}

// openPostgres opens the store in a database that several nodes may share.
func (s *Store) openPostgres(context.Context) error {
	cfg, err := pgx.ParseConfig(s.config.PostgresURL)
	if err != nil {
		return err
	}
	cfg.RuntimeParams["search_path"] = pgSchema
	s.db = stdlib.OpenDB(*cfg)
	s.db.SetMaxOpenConns(16)
	s.db.SetMaxIdleConns(16)
	s.changer = pgChanger{s.db}
	return nil
}

type pgChanger struct{ db *sql.DB }

func (p pgChanger) run(ctx context.Context, lock Lock, fn func(t *Tx) error) error {
	for attempt := 0; ; attempt++ {
		err := p.once(ctx, lock, fn)
		var pg *pgconn.PgError
		if attempt == 5 || !errors.As(err, &pg) || pg.Code != deadlockDetected {
			return err
		}
	}
}

// deadlockDetected: two changes wrote the same rows in different order, and
// this one gave way.
const deadlockDetected = "40P01"

func (p pgChanger) once(ctx context.Context, lock Lock, fn func(t *Tx) error) error {
	sqlTx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	defer sqlTx.Rollback()
	if lock != NoLock {
		if _, err := sqlTx.ExecContext(ctx, string(lock)); err != nil {
			return fmt.Errorf("operational store: %w", err)
		}
	}
	if err := fn(&Tx{ctx: ctx, q: sqlTx}); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	return nil
}

// define keeps nodes that start at the same moment apart: "if not exists" alone
// fails for one of them.
func (p pgChanger) define(ctx context.Context, schema string) error {
	t, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	for _, stmt := range []string{
		`SELECT pg_advisory_xact_lock(hashtext('` + pgSchema + `'))`,
		`CREATE SCHEMA IF NOT EXISTS ` + pgSchema,
		schema,
	} {
		if _, err := t.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return t.Commit()
}

func (pgChanger) close() error { return nil }
