package projections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresReaders    = 16 // connections at most per store
	postgresReaderIdle = time.Minute
)

type postgresStore struct {
	m          *model
	config     *pgx.ConnConfig // with the schema as search_path
	schema     string
	generation string
	readOnly   bool
	db         *sql.DB
	log        *slog.Logger
}

// OpenPostgres opens the schema <name>_v<version>, with _next or _prev behind
// it for the other builds, in the database that the URL names, and makes it
// when it is not there. Any number of processes may have it open: one of them
// writes, the others follow and take over.
func OpenPostgres(ctx context.Context, url string, p *Projection, o Options) (Store, error) {
	m, err := compile(p)
	if err != nil {
		return nil, err
	}
	s, err := openPostgres(ctx, url, postgresSchema(p, o.Build), m, o)
	if err != nil {
		return nil, fmt.Errorf("open projection %s in PostgreSQL: %w", p.Name, err)
	}
	return s, nil
}

func postgresSchema(p *Projection, b Build) string {
	name := fmt.Sprintf("%s_v%d", p.Name, p.Version)
	if b != Live {
		name += "_" + string(b)
	}
	return name
}

func openPostgres(ctx context.Context, url, schema string, m *model, o Options) (*postgresStore, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = quote(schema)
	config.RuntimeParams["application_name"] = "hubledger " + schema
	s := &postgresStore{m: m, config: config, schema: schema, readOnly: o.ReadOnly, log: o.logger()}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	exists, err := postgresExists(ctx, conn, schema)
	if err == nil && !exists {
		if o.ReadOnly {
			return nil, fmt.Errorf("schema %s: %w", schema, ErrNoBuild)
		}
		err = s.create(ctx, conn, o.Generation)
	}
	if err != nil {
		return nil, err
	}
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	if len(m.Searches) > 0 {
		// A plan for any text takes a rare word for a common one.
		reading.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	}
	s.db = stdlib.OpenDB(*reading)
	s.db.SetMaxOpenConns(postgresReaders)
	s.db.SetMaxIdleConns(postgresReaders)
	s.db.SetConnMaxIdleTime(postgresReaderIdle)
	h, err := readHeader(ctx, s.db)
	if err == nil {
		err = m.admits(h, o.Generation)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.generation = h.generation
	return s, nil
}

// create makes the schema, unless another process is quicker.
func (s *postgresStore) create(ctx context.Context, conn *pgx.Conn, generation string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey("create "+s.schema)); err != nil {
			return err
		}
		exists, err := postgresExists(ctx, tx, s.schema)
		if err != nil || exists {
			return err
		}
		return postgresMake(ctx, tx, s.schema, s.m, s.m.header(generation))
	})
}

func (s *postgresStore) DB() *sql.DB        { return s.db }
func (s *postgresStore) Dialect() Dialect   { return Postgres }
func (s *postgresStore) Generation() string { return s.generation }
func (s *postgresStore) Close() error       { return s.db.Close() }
func (s *postgresStore) model() *model      { return s.m }

func (s *postgresStore) Position(ctx context.Context) (uint64, error) { return readPosition(ctx, s.db) }

func (s *postgresStore) parked(ctx context.Context) ([]Parked, error) { return readParked(ctx, s.db) }

// snapshot exports the state that one connection sees to the others of a
// pool: database/sql does not keep a connection with an open transaction.
func (s *postgresStore) snapshot(ctx context.Context) (*snapshot, error) {
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
	return &snapshot{db, uint64(position), func() error {
		return errors.Join(db.Close(), conn.Close(context.WithoutCancel(ctx)))
	}}, nil
}

func postgresExists(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, schema string) (exists bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = '_store')`, schema).Scan(&exists)
	return exists, err
}

// lockKey makes an advisory lock's number of a name.
func lockKey(name string) int64 {
	sum := sha256.Sum256([]byte("hubledger " + name))
	return int64(binary.BigEndian.Uint64(sum[:]))
}
