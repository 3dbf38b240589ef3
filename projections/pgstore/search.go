package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hubledger/projections"
	"hubledger/projections/internal/pglock"
	"hubledger/projections/internal/sqltext"
)

// errTrigrams says what a database lacks and where it is found.
var errTrigrams = errors.New("search needs PostgreSQL's extension pg_trgm: install the server's contrib modules " +
	"(Debian and Ubuntu: in postgresql; Fedora and RHEL: postgresql-contrib) and let a role that may do so run CREATE EXTENSION pg_trgm in this database")

// trigramSchema makes sure that pg_trgm is there and returns its schema,
// quoted. It is made outside of ours, which is dropped one day.
func trigramSchema(ctx context.Context, tx pgx.Tx) (schema string, err error) {
	const where = `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'`
	err = tx.QueryRow(ctx, where).Scan(&schema)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return sqltext.Quote(schema), err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", pglock.Key("pg_trgm")); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"); err != nil {
		return "", fmt.Errorf("%w: %w", errTrigrams, err)
	}
	if err := tx.QueryRow(ctx, where).Scan(&schema); err != nil {
		return "", err
	}
	return sqltext.Quote(schema), nil
}

// createSearches makes all searches of a projection in the schema that is
// the search path, when the tables are there.
func createSearches(ctx context.Context, tx pgx.Tx, m *projections.Model) error {
	if len(m.Searches) == 0 {
		return nil
	}
	trgm, err := trigramSchema(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range m.Searches {
		for _, statement := range createSearch(s, trgm) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, classify(err))
			}
		}
	}
	return nil
}

// createSearch makes a search's table from what the sources hold, its
// indexes and the triggers that keep it. The indexes take every change at
// once: a list of pending ones would be read by every search.
func createSearch(s *projections.Search, trgm string) []string {
	t := s.Table
	name := sqltext.Quote(t.Name)
	list := []string{createTable(t), sqltext.FillSearch(s), addKey(t)}
	list = append(list, sqltext.CreateIndexes(t)...)
	list = append(list,
		fmt.Sprintf("CREATE INDEX %s ON %s USING gin (%s %s.gin_trgm_ops) WITH (fastupdate = off)",
			sqltext.Quote(t.Name+"_"+s.Trigrams), name, sqltext.Quote(s.Trigrams), trgm),
		fmt.Sprintf("CREATE INDEX %s ON %s USING gin ((%s)) WITH (fastupdate = off)",
			sqltext.Quote(t.Name+"_"+s.Words), name, projections.WordsVector(sqltext.Quote(s.Words))))
	for _, row := range []string{"NEW", "OLD"} {
		list = append(list, fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$",
			refreshFunction(s, row), strings.Join(sqltext.RefreshSearch(s, row), "; ")))
	}
	for _, source := range s.Sources {
		for _, event := range sqltext.TriggerEvents {
			list = append(list, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()",
				sqltext.TriggerName(s, source, event), event, sqltext.Quote(source.Name), refreshFunction(s, sqltext.ChangedRow(event))))
		}
	}
	return list
}

// refreshFunction names the function that the triggers of a search call.
func refreshFunction(s *projections.Search, row string) string {
	return sqltext.Quote(s.Table.Name + "_refresh_" + strings.ToLower(row))
}
