package catalog

import (
	"context"
	"fmt"
	"strings"
)

// A condition writes an expression about the entry e and adds its arguments.
type condition func(s *stmt) string

// A lookup is one way in which entries match, to be looked for in one scope.
type lookup struct {
	index     needle      // finds the matches by an index of texts; zero: from does, or no index
	from      condition   // finds the matches by the index of names
	matches   condition   // is true of the matches; nil: of all that the index finds
	not       []condition // are false of the matches
	class     condition   // nil: exactly
	order     string      // of the matches of one class; "" is "rank, name"
	updated   bool        // order by the last push instead of the rank
	along     bool        // no index finds the matches: walk along the order
	many      bool        // the index is known to find more than maxIndexed
	selective bool        // the conditions may hold of few entries that the index finds
	// otherwise is called when the index finds more than maxIndexed; nil: walk.
	otherwise func(context.Context, *scope) error
}

// constant is a class that all matches have.
func constant(c class) condition { return func(*stmt) string { return fmt.Sprint(int(c)) } }

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
	if l.class == nil {
		l.class = constant(exactly)
	}
	if l.order == "" {
		l.order = "rank, name"
	}
	if sc.byRights && l.selective {
		if done, err := f.lookInIndex(ctx, *sc, l); done || err != nil {
			return err
		}
	}
	if sc.listed {
		_, err := f.fetch(ctx, sc, l, sc.source)
		return err
	}
	if l.along || l.many {
		return f.walk(ctx, sc, l)
	}
	indexed, probe := func(s *stmt) string { return s.found(sc.table, l.index) }, func(s *stmt) string { return s.matches(sc.table, l.index) }
	if l.from != nil {
		indexed = func(s *stmt) string { return "FROM " + sc.table + " e WHERE " + l.from(s) }
		probe = indexed
	}
	if l.selective && !sc.big {
		all, err := f.fetch(ctx, sc, l, indexed)
		if err != nil || all {
			return err
		}
		return f.walk(ctx, sc, l)
	}
	// Counting what the index finds is cheap; reading each entry costs more.
	s := f.stmt()
	n, err := f.count(ctx, s, probe(s), maxIndexed)
	if err != nil || n == 0 {
		return err
	}
	switch {
	case n <= maxIndexed:
		_, err := f.fetch(ctx, sc, l, indexed)
		return err
	case l.otherwise != nil:
		return l.otherwise(ctx, sc)
	}
	return f.walk(ctx, sc, l)
}

// lookInIndex looks in the index, in a scope that is listed, when it finds few: words
// are in no other index, so that each entry of the list would be read for them. done
// is false when it finds many.
func (f *finder) lookInIndex(ctx context.Context, sc scope, l lookup) (done bool, err error) {
	s := f.stmt()
	n, err := f.count(ctx, s, s.matches(sc.table, l.index), maxIndexed)
	if err != nil || n == 0 || n > maxIndexed {
		return n == 0, err
	}
	// What the index finds need not be what the person may see.
	sc.listed, sc.byRights = false, false
	return f.fetch(ctx, &sc, l, func(s *stmt) string { return s.found(sc.table, l.index) })
}

func (f *finder) conditions(s *stmt, sc *scope, l lookup) []string {
	list := sc.conditions(s)
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

// fetch adds the first hits of a source, and how many there are. If it finds
// more than maxIndexed in a scope that is not listed, it adds nothing, and all is
// false.
func (f *finder) fetch(ctx context.Context, sc *scope, l lookup, source condition) (all bool, err error) {
	s := f.stmt()
	// The limit also keeps PostgreSQL from walking along the order instead.
	found, most := where(source(s), f.conditions(s, sc, l)...), maxIndexed+1
	if sc.listed {
		most = maxListed
	}
	rank := "e.rank"
	if l.updated {
		rank = "(SELECT -p.updated FROM pushes p WHERE p.repo = e.repo)"
	}
	s.add("SELECT id, rank, name, class, count(*) OVER () FROM (SELECT e.id, %s AS rank, e.name, %s AS class %s LIMIT %d) AS found ORDER BY class, %s LIMIT %d",
		rank, l.class(s), found, most, l.order, f.need)
	had := len(f.hits)
	n, err := f.read(ctx, sc, s)
	if n > maxIndexed && !sc.listed {
		f.hits = f.hits[:had]
		return false, err
	}
	f.total += n
	return true, err
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
		rank, l.class(s), where(source, f.conditions(s, sc, l)...), order, f.need)
	had := len(f.hits)
	if _, err := f.read(ctx, sc, s); err != nil {
		return err
	}
	n := len(f.hits) - had
	if n == f.need {
		n = MaxWindow
		if l.along && !sc.big {
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
