package catalog

import (
	"context"
	"fmt"

	"hubledger/projections"
)

// fetch adds the first hits of a source of at most that many entries, and how many
// there are.
func (f *finder) fetch(ctx context.Context, sc *scope, l lookup, source condition, most int) error {
	s := f.stmt()
	s.add("%s", f.first(s, l, f.found(s, sc, l, source(s), most)))
	return f.take(ctx, sc, s)
}

// fetchIndexed is fetch by an index of texts if it finds at most enough entries, and
// returns how many it finds, at most one more than count.
func (f *finder) fetchIndexed(ctx context.Context, sc *scope, l lookup, enough, count int) (n int, err error) {
	if len(l.index.names)+len(l.index.words) > 1 {
		return f.fetchOnce(ctx, sc, l, enough, count)
	}
	s := f.stmt()
	if n, err = f.count(ctx, s, s.matches(sc.table, l.index), count); err != nil || n == 0 || n > enough {
		return n, err
	}
	return n, f.fetch(ctx, sc.whole(), l, func(s *stmt) string { return s.found(sc.table, l.index) }, enough)
}

// fetchOnce is fetchIndexed by one statement: for several texts the index takes longer
// to count entries than it takes to keep their ids.
func (f *finder) fetchOnce(ctx context.Context, sc *scope, l lookup, enough, count int) (n int, err error) {
	// In SQLite the index knows only ids, while PostgreSQL has to read entries to count them.
	s, columns, from := f.stmt(), "rowid AS id", "FROM indexed CROSS JOIN "+sc.table+" e WHERE e.id = indexed.id"
	if s.dialect == projections.Postgres {
		columns, from = "e.id, e.repo, e.namespace, e.name, e.rank, e.words", "FROM indexed e WHERE 1 = 1"
	}
	s.add("WITH indexed AS MATERIALIZED (SELECT %s %s LIMIT %d), counted AS (SELECT count(*) AS n FROM indexed) ", columns, s.matches(sc.table, l.index), count+1)
	source := fmt.Sprintf("%s AND (SELECT n FROM counted) <= %d", from, enough)
	// What the index finds need not be what the person may see.
	sc = sc.whole()
	s.add("SELECT %d, 0, '', 0, n FROM counted UNION ALL SELECT * FROM (%s) AS first", noHit, f.first(s, l, f.found(s, sc, l, source, enough)))
	return f.takeCounted(ctx, sc, s)
}

// first selects the first hits that matter among those found.
func (f *finder) first(s *stmt, l lookup, found string) string {
	count, matters := "0", ""
	if f.total+f.need < MaxWindow {
		count = "count(*) OVER ()"
	}
	if w, ok := f.worst(); ok {
		matters = fmt.Sprintf(" WHERE class < %[1]d OR class = %[1]d AND %[2]s", w.class, l.before(s, w))
	}
	return fmt.Sprintf("SELECT id, rank, name, class, %s FROM (%s) AS found%s ORDER BY class, %s LIMIT %d", count, found, matters, l.order, f.need)
}

// take adds the hits that a statement yields, and how many there are.
func (f *finder) take(ctx context.Context, sc *scope, s *stmt) error {
	_, err := f.takeCounted(ctx, sc, s)
	return err
}

// takeCounted is take, and returns the count in the row that is no hit.
func (f *finder) takeCounted(ctx context.Context, sc *scope, s *stmt) (indexed int, err error) {
	had := len(f.hits)
	n, indexed, err := f.read(ctx, sc, s)
	// Where they were not counted, the total is MaxWindow if they fill the page.
	f.total += max(n, len(f.hits)-had)
	return indexed, err
}

// tryFetch is fetch by an index of texts that finds more than most entries, if no more
// than that are hits. Otherwise it adds nothing, and all is false.
func (f *finder) tryFetch(ctx context.Context, sc *scope, l lookup, most int) (all bool, err error) {
	s := f.stmt()
	s.add("SELECT id, rank, name, class, count(*) OVER () FROM (%s) AS found ORDER BY class, %s LIMIT %d",
		f.found(s, sc, l, s.found(sc.table, l.index), most+1), l.order, f.need)
	had := len(f.hits)
	n, _, err := f.read(ctx, sc, s)
	if n > most {
		f.hits = f.hits[:had]
		return false, err
	}
	f.total += n
	return true, err
}

// found selects the hits of a source. The limit also keeps PostgreSQL from walking
// along the order instead.
func (f *finder) found(s *stmt, sc *scope, l lookup, source string, limit int) string {
	from, rank := where(source, f.conditions(s, sc, l)...), "e.rank"
	if l.updated {
		rank = "(SELECT -p.updated FROM pushes p WHERE p.repo = e.repo)"
	}
	return fmt.Sprintf("SELECT e.id, %s AS rank, e.name, %s AS class %s LIMIT %d", rank, l.classOf(s), from, limit)
}

// noHit is the id of a row that has a count of another kind.
const noHit = -1

// read adds the hits that a statement yields, and returns the count that stands in
// each row, and the one in the row that is no hit.
func (f *finder) read(ctx context.Context, sc *scope, s *stmt) (n, indexed int, err error) {
	rows, err := f.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		// Numbers of another size would be converted by way of texts.
		h, of, count := hit{table: sc.table}, int64(0), int64(0)
		if err := rows.Scan(&h.id, &h.rank, &h.name, &of, &count); err != nil {
			return 0, 0, err
		}
		if h.id == noHit {
			indexed = int(count)
			continue
		}
		h.class, n = class(of), int(count)
		f.hits = append(f.hits, h)
	}
	return n, indexed, rows.Err()
}
