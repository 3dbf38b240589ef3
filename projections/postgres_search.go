package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// errTrigrams says what a database lacks and where it is found.
var errTrigrams = errors.New("search needs PostgreSQL's extension pg_trgm: install the server's contrib modules " +
	"(Debian and Ubuntu: in postgresql; Fedora and RHEL: postgresql-contrib) and let a role that may do so run CREATE EXTENSION pg_trgm in this database")

// postgresTrigrams makes sure that pg_trgm is there and returns its schema,
// quoted. It is made outside of ours, which is dropped one day.
func postgresTrigrams(ctx context.Context, tx pgx.Tx) (schema string, err error) {
	const where = `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'`
	err = tx.QueryRow(ctx, where).Scan(&schema)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return quote(schema), err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey("pg_trgm")); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"); err != nil {
		return "", fmt.Errorf("%w: %w", errTrigrams, err)
	}
	if err := tx.QueryRow(ctx, where).Scan(&schema); err != nil {
		return "", err
	}
	return quote(schema), nil
}

// postgresSearches makes all searches of a projection in the schema that is
// the search path, when the tables are there.
func postgresSearches(ctx context.Context, tx pgx.Tx, m *model) error {
	if len(m.Searches) == 0 {
		return nil
	}
	trgm, err := postgresTrigrams(ctx, tx)
	if err != nil {
		return err
	}
	for i, s := range m.Searches {
		for _, statement := range postgresSearch(s, &m.searches[i], trgm) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, postgresError(err))
			}
		}
	}
	return nil
}

// postgresSearch makes a search's table from what the sources hold, its
// indexes and the triggers that keep it. The indexes take every change at
// once: a list of pending ones would be read by every search.
func postgresSearch(s *Search, t *tableInfo, trgm string) []string {
	name := quote(t.Name)
	list := []string{postgresCreate(t), s.fill(), postgresKey(t)}
	list = append(list, createIndexes(t)...)
	list = append(list,
		fmt.Sprintf("CREATE INDEX %s ON %s USING gin (%s %s.gin_trgm_ops) WITH (fastupdate = off)",
			quote(t.Name+"_"+s.Trigrams), name, quote(s.Trigrams), trgm),
		fmt.Sprintf("CREATE INDEX %s ON %s USING gin ((%s)) WITH (fastupdate = off)",
			quote(t.Name+"_"+s.Words), name, WordsVector(quote(s.Words))))
	for _, row := range []string{"NEW", "OLD"} {
		list = append(list, fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$",
			s.function(row), strings.Join(s.refresh(row), "; ")))
	}
	for _, source := range s.Sources {
		for _, event := range triggerEvents {
			list = append(list, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()",
				s.trigger(source, event), event, quote(source.Name), s.function(changed(event))))
		}
	}
	return list
}

func (s *Search) function(row string) string {
	return quote(s.Table.Name + "_refresh_" + strings.ToLower(row))
}
