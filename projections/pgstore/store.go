// Package pgstore keeps builds of projections in PostgreSQL, one schema for each
// build.
package pgstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"hubledger/projections"
	"hubledger/projections/internal/pglock"
	"hubledger/projections/internal/sqltext"
)

const (
	maxReaders = 16 // connections at most per store
	readerIdle = time.Minute
)

type store struct {
	m          *projections.Model
	config     *pgx.ConnConfig // with the schema as search_path
	schema     string
	generation string
	readOnly   bool
	db         *sql.DB
	log        *slog.Logger
}

func (d storage) Open(ctx context.Context, p *projections.Projection, o projections.Options) (projections.Store, error) {
	m, err := projections.NewModel(p)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, d.url, schemaOf(p, o.Build), m, o)
	if err != nil {
		return nil, fmt.Errorf("open projection %s in PostgreSQL: %w", p.Name, err)
	}
	return s, nil
}

// schemaOf is the name of a build's schema, and of the lock of its writer.
func schemaOf(p *projections.Projection, b projections.Build) string {
	name := fmt.Sprintf("%s_v%d", p.Name, p.Version)
	if b != projections.Live {
		name += "_" + string(b)
	}
	return name
}

func open(ctx context.Context, url, schema string, m *projections.Model, o projections.Options) (*store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = sqltext.Quote(schema)
	config.RuntimeParams["application_name"] = "hubledger " + schema
	s := &store{m: m, config: config, schema: schema, readOnly: o.ReadOnly, log: cmp.Or(o.Logger, slog.Default())}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	exists, err := schemaExists(ctx, conn, schema)
	if err == nil && !exists {
		if o.ReadOnly {
			return nil, fmt.Errorf("schema %s: %w", schema, projections.ErrNoBuild)
		}
		err = s.create(ctx, conn, o.Generation)
	}
	if err != nil {
		return nil, err
	}
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	if len(m.Searches) > 0 {
		// A generic plan would treat rare and common words alike.
		reading.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
		// What WordsVector costs is not known to the planner, which would rather compute
		// it for each entry than use its index.
		reading.RuntimeParams["enable_seqscan"] = "off"
		// A plan that has to scan nevertheless then seems so costly as to be compiled.
		reading.RuntimeParams["jit"] = "off"
	}
	s.db = stdlib.OpenDB(*reading)
	s.db.SetMaxOpenConns(maxReaders)
	s.db.SetMaxIdleConns(maxReaders)
	s.db.SetConnMaxIdleTime(readerIdle)
	h, err := sqltext.ReadHeader(ctx, s.db)
	if err == nil {
		err = h.Check(m, o.Generation)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.generation = h.Generation
	return s, nil
}

// create makes the schema, unless another process is quicker.
func (s *store) create(ctx context.Context, conn *pgx.Conn, generation string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", pglock.Key("create "+s.schema)); err != nil {
			return err
		}
		exists, err := schemaExists(ctx, tx, s.schema)
		if err != nil || exists {
			return err
		}
		return createSchema(ctx, tx, s.schema, s.m, sqltext.NewHeader(s.m, generation))
	})
}

func (s *store) DB() *sql.DB                  { return s.db }
func (s *store) Dialect() projections.Dialect { return projections.Postgres }
func (s *store) Generation() string           { return s.generation }
func (s *store) Close() error                 { return s.db.Close() }
func (s *store) Model() *projections.Model    { return s.m }

func (s *store) Position(ctx context.Context) (uint64, error) { return sqltext.ReadPosition(ctx, s.db) }

func (s *store) Parked(ctx context.Context) ([]projections.Parked, error) {
	return sqltext.ReadParked(ctx, s.db)
}

// Snapshot exports the state that one connection sees to the others of a
// pool: database/sql does not keep a connection with an open transaction.
func (s *store) Snapshot(ctx context.Context) (*projections.Snapshot, error) {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, err
	}
	var id string
	var position int64
	const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if _, err = conn.Exec(ctx, begin); err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_export_snapshot(), position FROM _store").Scan(&id, &position)
	}
	if err != nil {
		conn.Close(ctx)
		return nil, err
	}
	db := stdlib.OpenDB(*s.config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.PgConn().Exec(ctx, begin+"; SET TRANSACTION SNAPSHOT '"+id+"'").ReadAll()
		return err
	}))
	return &projections.Snapshot{DB: db, Position: uint64(position), Close: func() error {
		return errors.Join(db.Close(), conn.Close(context.WithoutCancel(ctx)))
	}}, nil
}

func schemaExists(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, schema string) (exists bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = '_store')`, schema).Scan(&exists)
	return exists, err
}
