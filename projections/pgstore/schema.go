package pgstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hubledger/projections"
	"hubledger/projections/internal/sqltext"
)

var (
	columnTypes = [...]string{projections.Int: "bigint", projections.Bytes: "bytea", projections.Text: `text COLLATE "C"`}
	arrayTypes  = [...]string{projections.Int: "bigint[]", projections.Bytes: "bytea[]", projections.Text: "text[]"}
)

// storeTables are the runner's own, in every schema. The epoch is the
// fence: who becomes the writer raises it, and a commit of an older one fails.
var storeTables = []string{
	`CREATE TABLE _store (id bigint PRIMARY KEY, projection text NOT NULL, version bigint NOT NULL, shape text NOT NULL,
		generation text NOT NULL, position bigint NOT NULL, epoch bigint NOT NULL) WITH (fillfactor = 10)`,
	`CREATE TABLE _parked (seq bigint PRIMARY KEY, subject bytea NOT NULL, type text NOT NULL, reason text NOT NULL)`,
}

const insertParked = `INSERT INTO _parked SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[])`

// execer is a connection or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// createSchema makes a schema with all tables and the header.
func createSchema(ctx context.Context, tx pgx.Tx, schema string, m *projections.Model, h sqltext.Header) error {
	statements := []string{"CREATE SCHEMA IF NOT EXISTS " + sqltext.Quote(schema), "SET LOCAL search_path = " + sqltext.Quote(schema)}
	statements = append(statements, storeTables...)
	for _, t := range m.Tables {
		statements = append(statements, createTable(t), addKey(t))
		statements = append(statements, sqltext.CreateIndexes(t)...)
	}
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := createSearches(ctx, tx, m); err != nil {
		return err
	}
	return writeHeader(ctx, tx, h)
}

func writeHeader(ctx context.Context, conn execer, h sqltext.Header) error {
	_, err := conn.Exec(ctx, "INSERT INTO _store VALUES (0, $1, $2, $3, $4, $5, 0)",
		h.Projection, h.Version, h.Shape, h.Generation, int64(h.Position))
	return err
}

// createTable makes a table without its key, which is quicker to make when
// the rows are in.
func createTable(t *projections.Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = fmt.Sprintf("%s %s NOT NULL", sqltext.Quote(c.Name), columnTypes[c.Kind])
	}
	return fmt.Sprintf("CREATE TABLE %s (%s)", sqltext.Quote(t.Name), strings.Join(columns, ", "))
}

func addKey(t *projections.Table) string {
	return fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", sqltext.Quote(t.Name), sqltext.Columns(t.Columns[:t.Key]))
}

// statementFor does an action for many rows, given as one array a column.
func statementFor(t *projections.Table, a projections.Action) string {
	columns := t.Columns
	if a == projections.RemoveRow {
		columns = columns[:t.Key]
	}
	arrays := make([]string, len(columns))
	for i, c := range columns {
		arrays[i] = fmt.Sprintf("$%d::%s", i+1, arrayTypes[c.Kind])
	}
	rows := fmt.Sprintf("unnest(%s)", strings.Join(arrays, ", "))
	if a != projections.RemoveRow {
		return fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM %s %s", sqltext.Quote(t.Name), sqltext.Columns(columns), rows, sqltext.OnConflict(t, a, "greatest"))
	}
	where := make([]string, len(columns))
	for i, c := range columns {
		where[i] = fmt.Sprintf("%s.%s = d.%s", sqltext.Quote(t.Name), sqltext.Quote(c.Name), sqltext.Quote(c.Name))
	}
	return fmt.Sprintf("DELETE FROM %s USING %s AS d (%s) WHERE %s", sqltext.Quote(t.Name), rows, sqltext.Columns(columns), strings.Join(where, " AND "))
}
