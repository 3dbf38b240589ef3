package leases

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

// OpenPostgres opens the store in a PostgreSQL database that several nodes may
// share. Its tables are in a schema of their own.
func OpenPostgres(ctx context.Context, url string) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open operational store: %w", err)
	}
	cfg.RuntimeParams["search_path"] = pgSchema
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	s := &Store{db: db, change: pgChanger{db}}
	if err := makeTables(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("open operational store: %w", err), db.Close())
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// makeTables keeps nodes that start at the same moment apart: "if not exists"
// alone fails for one of them.
func makeTables(ctx context.Context, db *sql.DB) error {
	t, err := db.BeginTx(ctx, nil)
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

type pgChanger struct{ db *sql.DB }

func (p pgChanger) run(ctx context.Context, lock lock, fn func(t *tx) error) error {
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

func (p pgChanger) once(ctx context.Context, lock lock, fn func(t *tx) error) error {
	sqlTx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	defer sqlTx.Rollback()
	if lock != noLock {
		if _, err := sqlTx.ExecContext(ctx, string(lock)); err != nil {
			return fmt.Errorf("operational store: %w", err)
		}
	}
	t := &tx{ctx: ctx, q: sqlTx}
	t.fences = sqlFences{t}
	if err := fn(t); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("operational store: %w", err)
	}
	return nil
}

func (pgChanger) close() error { return nil }

// sqlFences decides by the tables, below the transaction's lock.
type sqlFences struct{ t *tx }

func (f sqlFences) leaving(ds []packed) (marked []packed, err error) {
	err = eachChunk(ds, func(chunk []packed) error {
		return f.t.query(func(rows *sql.Rows) error {
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
	err := f.t.query(func(*sql.Rows) error { free = false; return nil },
		`SELECT 1 FROM leases WHERE digest = $1 AND until > $2 UNION ALL SELECT 1 FROM pins WHERE digest = $1 AND until > $2`,
		[]byte(d), now)
	return free, err
}

func (f sqlFences) lease(repo string, d packed) (until int64, ok bool, err error) {
	err = f.t.query(func(rows *sql.Rows) error { ok = true; return rows.Scan(&until) },
		`SELECT until FROM leases WHERE repository = $1 AND digest = $2`, repo, []byte(d))
	return until, ok, err
}
