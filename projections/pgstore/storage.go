package pgstore

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/internal/pglock"
	"hubledger/projections/internal/sqltext"
)

type storage struct{ url string }

var _ bulk.Loadable = storage{}

// URL is the Storage of schemas in the database that the URL names:
// <name>_v<version>, with _next or _prev after it for builds other than the live
// one. Any number of processes may have a build open: one of them writes, the
// others follow and take over. It can be loaded in bulk.
func URL(url string) projections.Storage { return storage{url} }

// Scratch implements bulk.Loadable.
func (d storage) Scratch() string { return os.TempDir() }

var schemaName = regexp.MustCompile(`^([a-z]+)_v([0-9]+)(?:_(next|prev))?$`)

func (d storage) List(ctx context.Context) ([]projections.Info, error) {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return nil, err
	}
	defer pglock.Close(conn)
	rows, err := conn.Query(ctx, `SELECT schemaname, (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
		FROM pg_class c WHERE c.relnamespace = s.oid AND c.relkind = 'r')
		FROM pg_tables JOIN pg_namespace s ON s.nspname = schemaname WHERE tablename = '_store' ORDER BY schemaname`)
	if err != nil {
		return nil, err
	}
	type schema struct {
		Name string
		Size int64
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowToStructByPos[schema])
	if err != nil {
		return nil, err
	}
	var list []projections.Info
	for _, s := range schemas {
		match := schemaName.FindStringSubmatch(s.Name)
		if match == nil {
			continue
		}
		info := projections.Info{Name: match[1], Build: projections.Build(match[3]), Size: s.Size}
		info.Version, _ = strconv.Atoi(match[2])
		var position int64
		query := fmt.Sprintf("SELECT position, generation FROM %s._store", sqltext.Quote(s.Name))
		if err := conn.QueryRow(ctx, query).Scan(&position, &info.Generation); err != nil {
			return nil, err
		}
		info.Position = uint64(position)
		list = append(list, info)
	}
	return list, nil
}

func (d storage) Switch(ctx context.Context, p *projections.Projection) error {
	return d.rename(ctx, schemaOf(p, projections.Prev), schemaOf(p, projections.Live), schemaOf(p, projections.Next))
}

func (d storage) Back(ctx context.Context, p *projections.Projection) error {
	return d.rename(ctx, schemaOf(p, projections.Next), schemaOf(p, projections.Live), schemaOf(p, projections.Prev))
}

// rename keeps live as kept and makes from live, in one transaction and while
// nobody writes any of them.
func (d storage) rename(ctx context.Context, kept, live, from string) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer pglock.Close(conn)
	for _, schema := range []string{kept, live, from} {
		if err := tryLock(ctx, conn, schema); err != nil {
			return err
		}
	}
	exists, err := schemaExists(ctx, conn, from)
	if err == nil && !exists {
		err = fmt.Errorf("schema %s: %w", from, projections.ErrNoBuild)
	}
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return renameSchemas(ctx, tx, kept, from, live) })
}

// renameSchemas gives from the name to; a schema that has that name already is kept
// as kept, or dropped when that is empty.
func renameSchemas(ctx context.Context, tx pgx.Tx, kept, from, to string) error {
	exists, err := schemaExists(ctx, tx, to)
	if err != nil {
		return err
	}
	var statements []string
	switch {
	case kept == "":
		statements = append(statements, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", sqltext.Quote(to)))
	case exists:
		statements = append(statements,
			fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", sqltext.Quote(kept)),
			fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", sqltext.Quote(to), sqltext.Quote(kept)))
	}
	statements = append(statements, fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", sqltext.Quote(from), sqltext.Quote(to)))
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (d storage) Drop(ctx context.Context, name string, version int, b projections.Build) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer pglock.Close(conn)
	schema := schemaOf(&projections.Projection{Name: name, Version: version}, b)
	if err := tryLock(ctx, conn, schema); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", sqltext.Quote(schema)))
	return err
}

// tryLock takes a schema's writer lock for the session. It waits a moment for
// a process that has just ended.
func tryLock(ctx context.Context, conn *pgx.Conn, schema string) error {
	const tries, pause = 10, 100 * time.Millisecond
	for try := 1; ; try++ {
		locked, err := pglock.Try(ctx, conn, schema)
		if locked || err != nil {
			return err
		}
		if try == tries {
			return fmt.Errorf("schema %s: %w", schema, projections.ErrInUse)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
