package projections

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	postgresKinds  = [...]string{Int: "bigint", Bytes: "bytea", Text: `text COLLATE "C"`}
	postgresArrays = [...]string{Int: "bigint[]", Bytes: "bytea[]", Text: "text[]"}
)

// postgresStoreTables are the runner's own, in every schema. The epoch is the
// fence: who becomes the writer raises it, and a commit of an older one fails.
var postgresStoreTables = []string{
	`CREATE TABLE _store (id bigint PRIMARY KEY, projection text NOT NULL, version bigint NOT NULL, shape text NOT NULL,
		generation text NOT NULL, position bigint NOT NULL, epoch bigint NOT NULL) WITH (fillfactor = 10)`,
	`CREATE TABLE _parked (seq bigint PRIMARY KEY, subject bytea NOT NULL, type text NOT NULL, reason text NOT NULL)`,
}

const postgresInsertParked = `INSERT INTO _parked SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[])`

// execer is a connection or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// postgresMake makes a schema with all tables and the header.
func postgresMake(ctx context.Context, tx pgx.Tx, schema string, m *model, h header) error {
	statements := []string{"CREATE SCHEMA IF NOT EXISTS " + quote(schema), "SET LOCAL search_path = " + quote(schema)}
	statements = append(statements, postgresStoreTables...)
	for i := range m.tables {
		t := &m.tables[i]
		statements = append(statements, postgresCreate(t), postgresKey(t))
		statements = append(statements, createIndexes(t)...)
	}
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := postgresSearches(ctx, tx, m); err != nil {
		return err
	}
	return postgresHeader(ctx, tx, h)
}

func postgresHeader(ctx context.Context, conn execer, h header) error {
	_, err := conn.Exec(ctx, "INSERT INTO _store VALUES (0, $1, $2, $3, $4, $5, 0)",
		h.projection, h.version, h.shape, h.generation, int64(h.position))
	return err
}

// postgresCreate makes a table without its key, which is quicker to make when
// the rows are in.
func postgresCreate(t *tableInfo) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = fmt.Sprintf("%s %s NOT NULL", quote(c.Name), postgresKinds[c.Kind])
	}
	return fmt.Sprintf("CREATE TABLE %s (%s)", quote(t.Name), strings.Join(columns, ", "))
}

func postgresKey(t *tableInfo) string {
	return fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", quote(t.Name), columnList(t.Columns[:t.Key]))
}

// postgresStatement does an action for many rows, given as one array a column.
func postgresStatement(t *tableInfo, a action) string {
	columns := t.Columns
	if a == remove {
		columns = columns[:t.Key]
	}
	arrays := make([]string, len(columns))
	for i, c := range columns {
		arrays[i] = fmt.Sprintf("$%d::%s", i+1, postgresArrays[c.Kind])
	}
	rows := fmt.Sprintf("unnest(%s)", strings.Join(arrays, ", "))
	if a != remove {
		return fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM %s %s", quote(t.Name), columnList(columns), rows, onConflict(t, a, "greatest"))
	}
	where := make([]string, len(columns))
	for i, c := range columns {
		where[i] = fmt.Sprintf("%s.%s = d.%s", quote(t.Name), quote(c.Name), quote(c.Name))
	}
	return fmt.Sprintf("DELETE FROM %s USING %s AS d (%s) WHERE %s", quote(t.Name), rows, columnList(columns), strings.Join(where, " AND "))
}
