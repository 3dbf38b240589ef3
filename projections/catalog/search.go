package catalog

import (
	"context"
	"slices"
	"strings"
)

// A class is how well an entry matches; the lower the better.
type class int

const (
	exactly class = iota
	beginning
	componentBeginning
	inside
	similar
	inText
)

// A hit is an entry that matches.
type hit struct {
	table string
	id    int64
	rank  int64
	name  string
	class class
}

// A finder gathers the hits of one search: of each scope the first need
// hits at least, unless there are enough better ones.
type finder struct {
	Reader
	parsedQuery
	scopes []scope
	hits   []hit
	total  int
}

// Search finds visible live repositories, best first. total is how many there
// are, where MaxWindow stands for that many or more. The error may wrap ErrQuery.
func (r Reader) Search(ctx context.Context, q Query) (list []Entry, total int, err error) {
	f := finder{Reader: r}
	if f.parsedQuery, err = parse(q); err != nil {
		return nil, 0, err
	}
	if f.scopes, err = scopes(q.Visible, q.Topic); err != nil {
		return nil, 0, err
	}
	if err := f.run(ctx); err != nil {
		return nil, 0, err
	}
	list, err = r.load(ctx, f.page())
	return list, min(f.total, MaxWindow), err
}

func (f *finder) run(ctx context.Context) error {
	if f.Text == "" {
		return f.each(ctx, f.all)
	}
	if f.term != "" || f.terms != nil {
		if err := f.each(ctx, f.names); err != nil {
			return err
		}
	}
	var alike []string
	if f.term != "" && f.total < few {
		var err error
		if alike, err = f.alike(ctx, f.term); err != nil {
			return err
		}
		if len(alike) > 0 {
			if err := f.each(ctx, func(ctx context.Context, sc *scope) error { return f.similar(ctx, sc, alike) }); err != nil {
				return err
			}
		}
	}
	if len(f.words) == 0 {
		return nil
	}
	return f.each(ctx, func(ctx context.Context, sc *scope) error { return f.texts(ctx, sc, alike) })
}

func (f *finder) each(ctx context.Context, find func(context.Context, *scope) error) error {
	for k := range f.scopes {
		if err := find(ctx, &f.scopes[k]); err != nil {
			return err
		}
	}
	return nil
}

// page orders the hits and keeps those of the page.
func (f *finder) page() []hit {
	slices.SortFunc(f.hits, f.better)
	from := min(f.Offset, len(f.hits))
	return f.hits[from:min(from+f.Limit, len(f.hits))]
}

// all takes the entries of a scope without looking at a text.
func (f *finder) all(ctx context.Context, sc *scope) error {
	l := lookup{along: true}
	switch f.Sort {
	case ByName:
		l.order = "name"
	case ByUpdated:
		l.updated = true
	}
	return f.look(ctx, sc, l)
}

// names finds the entries of a scope whose name has the text.
func (f *finder) names(ctx context.Context, sc *scope) error {
	if err := f.size(ctx, sc); err != nil {
		return err
	}
	l := lookup{index: f.inNames(), classes: f.classes, named: f.classOfName, matches: func(s *stmt) string { return s.nameMatches(&f.parsedQuery) }}
	switch {
	case f.term == "":
		l.class, l.classes = inside, nil
	case sc.listed:
	case len(f.term) < minInside:
		return f.namesByClass(ctx, sc)
	default:
		l.otherwise = f.namesByClass
	}
	return f.look(ctx, sc, l)
}

// takeNamed adds the hits among the few entries of a scope.
func (f *finder) takeNamed(sc *scope, l lookup) {
	for _, h := range sc.few {
		var ok bool
		if h.class, ok = l.named(h.name); ok {
			f.hits = append(f.hits, h)
			f.total++
		}
	}
}

// classOfName is the class in which a name matches the text, as classes and nameMatches say it.
func (f *finder) classOfName(name string) (class, bool) {
	if f.term == "" {
		return inside, !slices.ContainsFunc(f.terms, func(term string) bool { return !strings.Contains(name, term) })
	}
	switch {
	case name == f.term:
		return exactly, true
	case strings.HasPrefix(name, f.term):
		return beginning, true
	case strings.Contains(name, "/"+f.term):
		return componentBeginning, true
	}
	return inside, len(f.term) >= minInside && strings.Contains(name, f.term)
}

// classes is the class in which a name matches the only term.
func (f *finder) classes(s *stmt) string {
	return "CASE WHEN e.name = " + s.arg(f.term) + " THEN 0 WHEN " + s.begins("e.name", f.term) +
		" THEN 1 WHEN " + s.contains("e.name", "/"+f.term) + " THEN 2 ELSE 3 END"
}

// namesByClass looks for one class after the other, because too many names match
// to sort them all.
func (f *finder) namesByClass(ctx context.Context, sc *scope) error {
	term := f.term
	is := func(s *stmt) string { return "e.name = " + s.arg(term) }
	begins := func(s *stmt) string { return s.begins("e.name", term) }
	component := func(s *stmt) string { return s.contains("e.name", "/"+term) }
	lookups := []lookup{
		{class: exactly, matches: is, from: is},
		{class: beginning, matches: begins, not: []condition{is},
			from: func(s *stmt) string { return "e.name >= " + s.arg(term) + " AND e.name < " + s.arg(term+"~") }},
		{class: componentBeginning, matches: component, not: []condition{begins},
			index: findComponent(term)},
	}
	if len(term) >= minInside {
		lookups = append(lookups, lookup{class: inside, not: []condition{begins, component}, many: true,
			matches: func(s *stmt) string { return s.contains("e.name", term) }})
	}
	for _, l := range lookups {
		if err := f.look(ctx, sc, l); err != nil {
			return err
		}
	}
	return nil
}

// texts finds the entries of a scope that have the words, but whose names do not
// match.
func (f *finder) texts(ctx context.Context, sc *scope, alike []string) error {
	words := f.words
	if sc.topic != "" {
		words = append([]string{sc.topic}, words...)
	}
	l := lookup{index: needle{words: words}, class: inText, selective: true, matches: func(s *stmt) string { return s.hasWords(f.words) },
		not: []condition{func(s *stmt) string { return s.nameMatches(&f.parsedQuery) }}}
	for _, part := range alike {
		l.not = append(l.not, func(s *stmt) string { return s.contains("e.name", part) })
	}
	return f.look(ctx, sc, l)
}
