package catalog

import (
	"context"
	"fmt"
	"math"
	"strings"

	"hubledger/projections"
)

// A condition writes an expression about the entry e and adds its arguments.
type condition func(s *stmt) string

// A lookup is one way in which entries match, to be looked for in one scope.
type lookup struct {
	index     needle      // finds the matches by an index of texts; zero: from does, or no index
	from      condition   // finds the matches by the index of names
	matches   condition   // is true of the matches; nil: of all that the index finds
	not       []condition // are false of the matches
	class     class       // of all matches, unless there are classes
	classes   condition   // the class of each match
	within    condition   // is true of the entries that matter
	order     string      // of the matches of one class; "" is "rank, name"
	updated   bool        // order by the last push instead of the rank
	along     bool        // no index finds the matches: walk along the order
	many      bool        // the index is known to find more than maxIndexed
	selective bool        // the conditions may hold of few entries that the index finds
	// otherwise is called when the index finds too many; nil: walk.
	otherwise func(context.Context, *scope) error
}

// most is up to how many matches of a lookup are all read by their index, and
// sorted. If there are more, a walk along the order of stars and pulls meets enough
// of them sooner: it passes over need times the entries of the table for each match,
// so both cost the same when there are as many as the root of that, times a factor.
// The factor follows from what was measured for reading an entry in either way, with
// 130,000 entries: a walk has to read the entry itself only for its words. PostgreSQL
// compares beginnings more slowly than SQLite.
func (f *finder) most(l *lookup) int {
	factor := 85.0
	if l.selective || l.from != nil && f.Dialect == projections.Postgres {
		factor = 300
	}
	return max(maxIndexed, int(factor*math.Sqrt(float64(f.need))))
}

// classOf is the class of each match.
func (l *lookup) classOf(s *stmt) string {
	if l.classes != nil {
		return l.classes(s)
	}
	return fmt.Sprint(int(l.class))
}

// findComponent finds names with a component, not the first, that begins with a
// term. A slash and one letter are too short for a trigram, but they are a word.
func findComponent(term string) needle {
	if len(term) == 1 {
		return needle{words: []string{"/" + term}}
	}
	return needle{names: []string{"/" + term}}
}

// look adds the best hits of a lookup in a scope, and how many there are.
func (f *finder) look(ctx context.Context, sc *scope, l lookup) error {
	if l.order == "" {
		l.order = "rank, name"
	}
	if done, err := f.lookWithin(ctx, sc, l); done || err != nil {
		return err
	}
	if err := f.size(ctx, sc); err != nil {
		return err
	}
	if sc.listed && !(l.selective && !sc.byOnly) {
		return f.fetch(ctx, sc, l, sc.source, maxListed)
	}
	if l.along || l.many {
		return f.walk(ctx, sc, l)
	}
	// Counting what the index finds is cheap; reading each entry costs more.
	indexed, probe, most := f.indexed(sc, l), f.probe(sc, l), f.most(&l)
	count := most
	if l.selective {
		// So many more can be left out because their names match.
		count += min(f.total, MaxWindow)
	}
	s := f.stmt()
	n, err := f.count(ctx, s, probe(s), count)
	switch {
	case err != nil || n == 0:
		return err
	case sc.listed && n > min(most, sc.entries):
		return f.fetch(ctx, sc, l, sc.source, maxListed)
	case n <= most:
		// What the index finds need not be what the person may see.
		whole := *sc
		whole.listed, whole.byRights = false, false
		return f.fetch(ctx, &whole, l, indexed, most)
	case l.otherwise != nil:
		return l.otherwise(ctx, sc)
	case l.selective && !sc.big && (n <= count || f.total >= MaxWindow):
		all, err := f.tryFetch(ctx, sc, l, indexed, most)
		if err != nil || all {
			return err
		}
	}
	return f.walk(ctx, sc, l)
}

// indexed is FROM and WHERE of the entries that a lookup's index finds.
func (f *finder) indexed(sc *scope, l lookup) condition {
	if l.from != nil {
		return func(s *stmt) string { return "FROM " + sc.table + " e WHERE " + l.from(s) }
	}
	return func(s *stmt) string { return s.found(sc.table, l.index) }
}

// probe is FROM and WHERE of as many rows as indexed has, to be counted.
func (f *finder) probe(sc *scope, l lookup) condition {
	if l.from != nil {
		return f.indexed(sc, l)
	}
	return func(s *stmt) string { return s.matches(sc.table, l.index) }
}

func (f *finder) conditions(s *stmt, sc *scope, l lookup) []string {
	list := sc.conditions(s)
	if l.within != nil {
		list = append(list, l.within(s))
	}
	if l.matches != nil {
		list = append(list, l.matches(s))
	}
	for _, not := range l.not {
		if c := not(s); c != "" {
			list = append(list, "NOT ("+c+")")
		}
	}
	return list
}

// fetch adds the first hits of a source of at most that many entries, and how many
// there are.
func (f *finder) fetch(ctx context.Context, sc *scope, l lookup, source condition, most int) error {
	s, count := f.stmt(), "0"
	if f.total+f.need < MaxWindow {
		count = "count(*) OVER ()"
	}
	found := f.found(s, sc, l, source, most)
	matters := ""
	if w, ok := f.worst(); ok {
		matters = fmt.Sprintf(" WHERE class < %[1]d OR class = %[1]d AND %[2]s", w.class, l.before(s, w))
	}
	s.add("SELECT id, rank, name, class, %s FROM (%s) AS found%s ORDER BY class, %s LIMIT %d", count, found, matters, l.order, f.need)
	had := len(f.hits)
	n, err := f.read(ctx, sc, s)
	// Where they were not counted, the total is MaxWindow if they fill the page.
	f.total += max(n, len(f.hits)-had)
	return err
}

// tryFetch is fetch of a source that may have more entries than most. In that case it
// adds nothing, and all is false.
func (f *finder) tryFetch(ctx context.Context, sc *scope, l lookup, source condition, most int) (all bool, err error) {
	s := f.stmt()
	s.add("SELECT id, rank, name, class, count(*) OVER () FROM (%s) AS found ORDER BY class, %s LIMIT %d", f.found(s, sc, l, source, most+1), l.order, f.need)
	had := len(f.hits)
	n, err := f.read(ctx, sc, s)
	if n > most {
		f.hits = f.hits[:had]
		return false, err
	}
	f.total += n
	return true, err
}

// found selects the hits of a source. The limit also keeps PostgreSQL from walking
// along the order instead.
func (f *finder) found(s *stmt, sc *scope, l lookup, source condition, limit int) string {
	from, rank := where(source(s), f.conditions(s, sc, l)...), "e.rank"
	if l.updated {
		rank = "(SELECT -p.updated FROM pushes p WHERE p.repo = e.repo)"
	}
	return fmt.Sprintf("SELECT e.id, %s AS rank, e.name, %s AS class %s LIMIT %d", rank, l.classOf(s), from, limit)
}

// walk reads the scope along the order, and adds the first hits, all of one
// class. If they fill the page it counts them as MaxWindow, the most that a total
// says, unless counting them is cheap.
func (f *finder) walk(ctx context.Context, sc *scope, l lookup) error {
	s := f.stmt()
	source, rank, order := sc.allEntries(), "e.rank", "e."+strings.ReplaceAll(l.order, ", ", ", e.")
	if l.updated {
		source, rank, order = "FROM pushes p CROSS JOIN "+sc.table+" e WHERE e.repo = p.repo", "-p.updated", "p.updated DESC, e.name"
	}
	s.add("SELECT e.id, %s, e.name, %s, 0 %s ORDER BY %s LIMIT %d",
		rank, l.classOf(s), where(source, f.conditions(s, sc, l)...), order, f.need)
	had := len(f.hits)
	if _, err := f.read(ctx, sc, s); err != nil {
		return err
	}
	n := len(f.hits) - had
	if n == f.need {
		n = MaxWindow
		if l.along && !sc.big && f.total < MaxWindow {
			s := f.stmt()
			var err error
			if n, err = f.count(ctx, s, where(sc.allEntries(), f.conditions(s, sc, l)...), MaxWindow); err != nil {
				return err
			}
		}
	}
	f.total += n
	return nil
}

// read adds the hits that a statement yields, and returns the count that stands in
// each row.
func (f *finder) read(ctx context.Context, sc *scope, s *stmt) (n int, err error) {
	rows, err := f.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		h := hit{table: sc.table}
		if err := rows.Scan(&h.id, &h.rank, &h.name, &h.class, &n); err != nil {
			return 0, err
		}
		f.hits = append(f.hits, h)
	}
	return n, rows.Err()
}
