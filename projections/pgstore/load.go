package pgstore

import (
	"context"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/internal/pglock"
	"hubledger/projections/internal/sqltext"
)

// A loader fills a schema under a temporary name. Each table is made,
// filled and indexed in one transaction.
type loader struct {
	m      *projections.Model
	url    string
	conn   *pgx.Conn // holds the lock on the temporary name; nil after Finish or Abort
	schema string
	target string
}

// Load implements bulk.Loadable.
func (d storage) Load(ctx context.Context, m *projections.Model, b projections.Build) (_ bulk.Loader, err error) {
	l := &loader{m: m, url: d.url, schema: schemaOf(m.Projection, "building"), target: schemaOf(m.Projection, b)}
	if l.conn, err = pgx.Connect(ctx, d.url); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			pglock.Close(l.conn)
		}
	}()
	if err := tryLock(ctx, l.conn, l.schema); err != nil {
		return nil, err
	}
	for _, s := range []string{"DROP SCHEMA IF EXISTS %s CASCADE", "CREATE SCHEMA %s"} {
		if _, err := l.conn.Exec(ctx, fmt.Sprintf(s, sqltext.Quote(l.schema))); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *loader) Workers() int { return max(2, runtime.GOMAXPROCS(0)) }

func (l *loader) Table(ctx context.Context, table int, rows bulk.Rows) error {
	t := l.m.Tables[table]
	conn, err := pgx.Connect(ctx, l.url)
	if err != nil {
		return err
	}
	defer pglock.Close(conn)
	exec := func(statements ...string) error {
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, classify(err))
			}
		}
		return nil
	}
	if err := exec("SET search_path = "+sqltext.Quote(l.schema), "SET maintenance_work_mem = '256MB'", "SET synchronous_commit = off",
		"BEGIN", createTable(t)); err != nil {
		return err
	}
	// FREEZE: the table is of this transaction, so nobody needs row versions
	// and no vacuum has to write it again.
	copyIn := fmt.Sprintf("COPY %s FROM STDIN (FORMAT binary, FREEZE)", sqltext.Quote(t.Name))
	if _, err := conn.PgConn().CopyFrom(ctx, &copyReader{ctx: ctx, width: len(t.Columns), rows: rows}, copyIn); err != nil {
		return classify(err)
	}
	if err := exec(addKey(t)); err != nil {
		return err
	}
	return exec(append(sqltext.CreateIndexes(t), "COMMIT", "ANALYZE "+sqltext.Quote(t.Name))...)
}

func (l *loader) Finish(ctx context.Context, generation string, position uint64, parked []projections.Parked) error {
	h := sqltext.NewHeader(l.m, generation)
	h.Position = position
	if err := l.searches(ctx); err != nil {
		return err
	}
	if err := tryLock(ctx, l.conn, l.target); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		for _, s := range append([]string{"SET LOCAL search_path = " + sqltext.Quote(l.schema)}, storeTables...) {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		if err := writeHeader(ctx, tx, h); err != nil {
			return err
		}
		if len(parked) > 0 {
			rows := make([][]projections.Value, len(parked))
			for i, p := range parked {
				rows[i] = p.Row()
			}
			if _, err := tx.Exec(ctx, insertParked, columnArrays(rows)...); err != nil {
				return err
			}
		}
		return renameSchemas(ctx, tx, "", l.schema, l.target)
	})
	if err == nil {
		pglock.Close(l.conn)
		l.conn = nil
	}
	return err
}

// searches fills what is selected from the tables, and vacuums it, so that
// answers can come from an index alone.
func (l *loader) searches(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL search_path = "+sqltext.Quote(l.schema)+"; SET LOCAL maintenance_work_mem = '256MB'"); err != nil {
			return err
		}
		return createSearches(ctx, tx, l.m)
	})
	for _, s := range l.m.Searches {
		if err == nil {
			_, err = l.conn.Exec(ctx, fmt.Sprintf("VACUUM (ANALYZE) %s.%s", sqltext.Quote(l.schema), sqltext.Quote(s.Table.Name)))
		}
	}
	return err
}

func (l *loader) Abort() {
	if l.conn == nil {
		return
	}
	ctx := context.Background()
	l.conn.Exec(ctx, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", sqltext.Quote(l.schema)))
	pglock.Close(l.conn)
	l.conn = nil
}
