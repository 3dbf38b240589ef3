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
	// named is the class of a name, and whether it matches; nil: names alone do not decide it.
	named func(name string) (class, bool)
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
	if sc.ids != nil && sc.topic == "" && l.named != nil {
		f.takeNamed(sc, l)
		return nil
	}
	// To look for several words in the index takes longer than to read a few entries.
	severalWords := sc.ids != nil && len(l.index.words) > 1
	if sc.listed && (!l.selective || sc.byOnly || severalWords) {
		return f.fetch(ctx, sc, l, sc.source, maxListed)
	}
	if l.along || l.many {
		return f.walk(ctx, sc, l)
	}
	if l.from != nil {
		return f.lookFrom(ctx, sc, l)
	}
	most := f.most(&l)
	enough, count := most, most
	if sc.listed {
		enough = min(most, sc.entries)
	}
	if l.selective {
		// So many more can be left out because their names match.
		count += min(f.total, MaxWindow)
	}
	n, err := f.fetchIndexed(ctx, sc, l, enough, count)
	switch {
	case err != nil || n <= enough:
		return err
	case sc.listed:
		return f.fetch(ctx, sc, l, sc.source, maxListed)
	case l.otherwise != nil:
		return l.otherwise(ctx, sc)
	case l.selective && !sc.big && (n <= count || f.total >= MaxWindow):
		if all, err := f.tryFetch(ctx, sc, l, most); err != nil || all {
			return err
		}
	}
	return f.walk(ctx, sc, l)
}

// lookFrom is look by the index of names, which has what hits need: counting what it
// finds costs nearly nothing.
func (f *finder) lookFrom(ctx context.Context, sc *scope, l lookup) error {
	source := func(s *stmt) string { return "FROM " + sc.table + " e WHERE " + l.from(s) }
	s, most := f.stmt(), f.most(&l)
	n, err := f.count(ctx, s, source(s), most)
	switch {
	case err != nil || n == 0:
		return err
	case n > most:
		return f.walk(ctx, sc, l)
	}
	return f.fetch(ctx, sc.whole(), l, source, most)
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
	if _, _, err := f.read(ctx, sc, s); err != nil {
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
