package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// maxWithin is up to how many entries that are better than the worst hit of the
// page are all read; ten times as many when their names are enough, which the index
// of the order has.
const maxWithin = 2000

// better orders hits as they stand on pages.
func (f *finder) better(a, b hit) int {
	if f.Sort == ByName {
		return strings.Compare(a.name, b.name)
	}
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.rank, b.rank), strings.Compare(a.name, b.name))
}

// worst is the worst of the hits that the page needs. When there are enough, the
// others are forgotten: only better hits matter, and as many as a total can say are
// counted already. ok is false when there are not enough.
func (f *finder) worst() (w hit, ok bool) {
	if f.total < MaxWindow || len(f.hits) < f.need {
		return hit{}, false
	}
	slices.SortFunc(f.hits, f.better)
	f.hits = f.hits[:f.need]
	return f.hits[f.need-1], true
}

// lookWithin does a lookup of one class in a scope when only hits that are better
// than the worst one matter, and few entries of the scope's table come before that
// one: whatever a person may see, walking along these few finds all. done is false
// when the lookup has to be done in another way.
func (f *finder) lookWithin(ctx context.Context, sc *scope, l lookup) (done bool, err error) {
	w, ok := f.worst()
	if !ok || l.classes != nil || sc.only != nil {
		return false, nil
	}
	if l.class != w.class {
		return l.class > w.class, nil
	}
	before := func(s *stmt) string {
		if l.updated {
			return "p.updated >= " + s.arg(-w.rank)
		}
		return "e." + l.before(s, w)
	}
	s := f.stmt()
	source := "FROM " + sc.table + " e WHERE "
	if l.updated {
		source = "FROM pushes p WHERE "
	}
	most := maxWithin
	if !l.selective && !sc.limited && sc.topic == "" {
		most *= 10
	}
	n, err := f.count(ctx, s, source+before(s), most)
	if err != nil || n == 0 || n > most {
		return n == 0, err
	}
	// None of these entries was chosen because of the person or the topic.
	l.within = before
	return true, f.walk(ctx, sc.whole(), l)
}

// before is true of what does not come after a hit in a lookup's order.
func (l *lookup) before(s *stmt, w hit) string {
	if l.order == "name" {
		return "name <= " + s.arg(w.name)
	}
	return "rank <= " + s.arg(w.rank)
}
