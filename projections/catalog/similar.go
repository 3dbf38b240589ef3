package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"hubledger/projections"
)

const (
	few        = 10  // similar names are looked for when fewer names match
	maxAlike   = 8   // similar parts that are used, the most similar ones
	maxWeighed = 400 // parts whose similarity is computed: those that share most trigrams
	minAlike   = 4   // letters of a term; shorter terms are similar to too much
	similarity = 0.3 // least share of common trigrams among those of two parts; that of pg_trgm
)

// alike finds parts of names in the dictionary that are similar to a term:
// those with one letter wrong (or two in eight), and those that share enough
// trigrams. The dictionary has parts of names that not everybody may see, so its
// words are never shown: they are only looked for in each scope.
func (f *finder) alike(ctx context.Context, term string) ([]string, error) {
	list := parts(term)
	if len(list) == 0 || len(term) < minAlike {
		return nil, nil
	}
	word := slices.MaxFunc(list, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	candidates, err := f.sharing(ctx, word)
	if err != nil {
		return nil, err
	}
	type weighed struct {
		part  string
		wrong int
		share float64
	}
	var found []weighed
	of := len(trigrams(word))
	for _, c := range candidates {
		w := weighed{c.part, distance(word, c.part), float64(c.common) / float64(of+len(trigrams(c.part))-c.common)}
		if w.part != word && (w.share >= similarity || w.wrong <= 1 || w.wrong == 2 && len(word) >= 8) {
			found = append(found, w)
		}
	}
	slices.SortFunc(found, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(a.wrong, b.wrong), cmp.Compare(b.share, a.share), strings.Compare(a.part, b.part))
	})
	var result []string
	for _, w := range found {
		// Names with a part that contains one of the result are found by that one.
		if len(result) < maxAlike && !slices.ContainsFunc(result, func(part string) bool { return strings.Contains(w.part, part) }) {
			result = append(result, w.part)
		}
	}
	return result, nil
}

// A candidate is a part of names and how many trigrams it has in common with a word.
type candidate struct {
	part   string
	common int
}

// sharing are the parts of about a word's length that share most trigrams with it, at
// most maxWeighed. The database strings together the parts with a trigram, which
// stand one after the other in it: it would take several times as long to group them.
func (f *finder) sharing(ctx context.Context, word string) (list []candidate, err error) {
	s := f.stmt()
	sizes := make([]int64, 0, 5)
	for size := len(word) - 2; size <= len(word)+2; size++ {
		sizes = append(sizes, int64(size))
	}
	together := "group_concat(part, ' ')"
	if s.dialect == projections.Postgres {
		together = "string_agg(part, ' ')"
	}
	grams := trigrams(word)
	s.add("SELECT %s FROM grams WHERE %s AND %s GROUP BY gram, size", together, s.inTexts("gram", grams), s.inInts("size", sizes))
	rows, err := f.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	common := map[string]int{}
	for rows.Next() {
		var parts string
		if err := rows.Scan(&parts); err != nil {
			return nil, err
		}
		for part := range strings.SplitSeq(parts, " ") {
			common[part]++
		}
	}
	byCommon := make([][]string, len(grams)+1)
	for part, n := range common {
		byCommon[n] = append(byCommon[n], part)
	}
	for n := len(grams); n > 0 && len(list) < maxWeighed; n-- {
		slices.Sort(byCommon[n])
		for _, part := range byCommon[n][:min(len(byCommon[n]), maxWeighed-len(list))] {
			list = append(list, candidate{part, n})
		}
	}
	return list, rows.Err()
}

// similar finds the entries of a scope with one of the parts in their name.
func (f *finder) similar(ctx context.Context, sc *scope, alike []string) error {
	return f.look(ctx, sc, lookup{
		index: needle{names: alike, any: true}, class: similar,
		named: func(name string) (class, bool) {
			_, matches := f.classOfName(name)
			return similar, !matches && slices.ContainsFunc(alike, func(part string) bool { return strings.Contains(name, part) })
		},
		matches: func(s *stmt) string {
			any := make([]string, len(alike))
			for k, part := range alike {
				any[k] = s.contains("e.name", part)
			}
			return "(" + strings.Join(any, " OR ") + ")"
		},
		not: []condition{func(s *stmt) string { return s.nameMatches(&f.parsedQuery) }},
	})
}

// distance is by how many letters two words differ that are missing, added, wrong
// or swapped with their neighbour (optimal string alignment).
func distance(a, b string) int {
	var rows [3][]int
	for k := range rows {
		rows[k] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	before, last, now := rows[0], rows[1], rows[2]
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
