package projections

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

type postgresPlace struct{ url string }

// PostgresURL is the Place of schemas in one database.
func PostgresURL(url string) Place { return postgresPlace{url} }

func (d postgresPlace) Open(ctx context.Context, p *Projection, o Options) (Store, error) {
	return OpenPostgres(ctx, d.url, p, o)
}

func (d postgresPlace) spill() string { return os.TempDir() }

var postgresName = regexp.MustCompile(`^([a-z]+)_v([0-9]+)(?:_(next|prev))?$`)

func (d postgresPlace) List(ctx context.Context) ([]Info, error) {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return nil, err
	}
	defer closeNow(conn)
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
	var list []Info
	for _, s := range schemas {
		match := postgresName.FindStringSubmatch(s.Name)
		if match == nil {
			continue
		}
		info := Info{Name: match[1], Build: Build(match[3]), Size: s.Size}
		info.Version, _ = strconv.Atoi(match[2])
		var position int64
		query := fmt.Sprintf("SELECT position, generation FROM %s._store", quote(s.Name))
		if err := conn.QueryRow(ctx, query).Scan(&position, &info.Generation); err != nil {
			return nil, err
		}
		info.Position = uint64(position)
		list = append(list, info)
	}
	return list, nil
}

func (d postgresPlace) Switch(ctx context.Context, p *Projection) error {
	return d.rename(ctx, postgresSchema(p, Prev), postgresSchema(p, Live), postgresSchema(p, Next))
}

func (d postgresPlace) Back(ctx context.Context, p *Projection) error {
	return d.rename(ctx, postgresSchema(p, Next), postgresSchema(p, Live), postgresSchema(p, Prev))
}

// rename keeps live as kept and makes from live, in one transaction and while
// nobody writes any of them.
func (d postgresPlace) rename(ctx context.Context, kept, live, from string) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer closeNow(conn)
	for _, schema := range []string{kept, live, from} {
		if err := tryLock(ctx, conn, schema); err != nil {
			return err
		}
	}
	exists, err := postgresExists(ctx, conn, from)
	if err == nil && !exists {
		err = fmt.Errorf("schema %s: %w", from, ErrNoBuild)
	}
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return renameSchemas(ctx, tx, kept, from, live) })
}

// renameSchemas gives from the name to; what bears it is kept under another
// name, or dropped when that is empty.
func renameSchemas(ctx context.Context, tx pgx.Tx, kept, from, to string) error {
	exists, err := postgresExists(ctx, tx, to)
	if err != nil {
		return err
	}
	var statements []string
	switch {
	case kept == "":
		statements = append(statements, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", quote(to)))
	case exists:
		statements = append(statements,
			fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", quote(kept)),
			fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", quote(to), quote(kept)))
	}
	statements = append(statements, fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", quote(from), quote(to)))
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (d postgresPlace) Drop(ctx context.Context, name string, version int, b Build) error {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return err
	}
	defer closeNow(conn)
	schema := postgresSchema(&Projection{Name: name, Version: version}, b)
	if err := tryLock(ctx, conn, schema); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", quote(schema)))
	return err
}

// tryLock takes a schema's writer lock for the session. It waits a moment for
// a process that has just ended.
func tryLock(ctx context.Context, conn *pgx.Conn, schema string) error {
	const tries, pause = 10, 100 * time.Millisecond
	for try := 1; ; try++ {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockKey(schema)).Scan(&locked); err != nil {
			return err
		}
		if locked {
			return nil
		}
		if try == tries {
			return fmt.Errorf("schema %s: %w", schema, ErrInUse)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
