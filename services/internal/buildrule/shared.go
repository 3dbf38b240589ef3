package buildrule

import (
	"fmt"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// sharedTags warns of pairs of rules that may give one tag: whichever build ends
// last would have it. It does not miss a pair; of a group it knows only which
// characters can be in it, so that it may name a pair that no two refs make real.
// Templates too many and too long to compare are said to be that.
func sharedTags(rules []compiled) Problems {
	shapes := make([][][]element, len(rules))
	for i, r := range rules {
		for _, parts := range r.templates {
			shapes[i] = append(shapes[i], r.shape(parts))
		}
	}
	var out Problems
	budget := maxSteps
	for i := range rules {
		for k := range i {
			a, b, ok := firstShared(shapes[i], shapes[k], &budget)
			if budget < 0 {
				return append(out, Problem{Index: -1, Field: "tags", Warning: true, What: "the rules were not all compared", Why: "their templates are too many and too long to find all that may give one tag", Fix: "look for them by simulating refs"})
			}
			if ok {
				out = append(out, Problem{Rule: nameOf(rules[i].Rule, i), Index: i, Field: "tags", Warning: true,
					What: fmt.Sprintf("%s may give the same tag as %s of rule %s", quoted(rules[i].Tags[a]), quoted(rules[k].Tags[b]), nameOf(rules[k].Rule, k)),
					Why:  "the tag is of whichever ref moved last", Fix: "put a word of its own into one of them, unless this is meant"})
			}
		}
	}
	return out
}

// maxSteps bounds the comparing of all templates of a set: less than a second.
const maxSteps = 1_000_000

func firstShared(a, b [][]element, budget *int) (int, int, bool) {
	for i := range a {
		for k := range b {
			if overlap(a[i], b[k], budget) {
				return i, k, true
			}
		}
	}
	return 0, 0, false
}

// An element of a tag's shape is one character, or any number of characters.
type element struct {
	chars ascii
	many  bool
}

// ascii is a set of ASCII characters. Tags have no others.
type ascii [2]uint64

func (s *ascii) add(r rune) {
	if r >= 0 && r < utf8.RuneSelf {
		s[r/64] |= 1 << (r % 64)
	}
}

func (s ascii) meets(o ascii) bool { return s[0]&o[0]|s[1]&o[1] != 0 }

func (s ascii) with(o ascii) ascii { return ascii{s[0] | o[0], s[1] | o[1]} }

var everyChar = ascii{^uint64(0), ^uint64(0)}

// shape is what tags of a template look like.
func (r compiled) shape(parts []part) []element {
	var out []element
	for _, p := range parts {
		text := p.literal
		if text == "" && p.group <= wholeRef && r.tree == nil {
			if text = r.source; p.group == slugged {
				text = slug(text)
			}
		}
		for _, c := range text {
			var one ascii
			one.add(c)
			out = append(out, element{chars: one})
		}
		if text == "" {
			out = append(out, element{chars: r.groupChars(p.group), many: true})
		}
	}
	return out
}

// groupChars are the characters that a group of the pattern can hold.
func (r compiled) groupChars(group int) ascii {
	tree := r.tree
	if group == slugged {
		return everyChar
	}
	if group == wholeRef {
		if tree.Op != syntax.OpConcat || tree.Sub[0].Op != syntax.OpBeginText || tree.Sub[len(tree.Sub)-1].Op != syntax.OpEndText {
			return everyChar // found anywhere in the name
		}
		return chars(tree)
	}
	if found := capture(tree, group); found != nil {
		return chars(found)
	}
	return everyChar
}

func capture(t *syntax.Regexp, group int) *syntax.Regexp {
	if t.Op == syntax.OpCapture && t.Cap == group {
		return t
	}
	for _, sub := range t.Sub {
		if found := capture(sub, group); found != nil {
			return found
		}
	}
	return nil
}

// chars are the ASCII characters that a match can contain.
func chars(t *syntax.Regexp) ascii {
	var out ascii
	switch t.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return everyChar
	case syntax.OpLiteral:
		for _, r := range t.Rune {
			out.add(r)
			if t.Flags&syntax.FoldCase != 0 {
				for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
					out.add(c)
				}
			}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(t.Rune); i += 2 {
			for r := t.Rune[i]; r <= min(t.Rune[i+1], utf8.RuneSelf-1); r++ {
				out.add(r)
			}
		}
	}
	for _, sub := range t.Sub {
		out = out.with(chars(sub))
	}
	return out
}

// overlap says whether one tag of at least one character can have both shapes. It
// takes its steps from the budget, and ends when that is below 0.
func overlap(a, b []element, budget *int) bool {
	type state struct {
		i, k int
		some bool // a character was taken
	}
	seen := map[state]bool{}
	todo := []state{{}}
	for len(todo) > 0 && *budget >= 0 {
		*budget--
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		atEndA, atEndB := s.i == len(a), s.k == len(b)
		if atEndA && atEndB && s.some {
			return true
		}
		if !atEndA && a[s.i].many {
			todo = append(todo, state{s.i + 1, s.k, s.some})
		}
		if !atEndB && b[s.k].many {
			todo = append(todo, state{s.i, s.k + 1, s.some})
		}
		if !atEndA && !atEndB && a[s.i].chars.meets(b[s.k].chars) {
			next := state{s.i, s.k, true}
			if !a[s.i].many {
				next.i++
			}
			if !b[s.k].many {
				next.k++
			}
			todo = append(todo, next)
		}
	}
	return false
}
