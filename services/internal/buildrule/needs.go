package buildrule

import (
	"fmt"
	"strings"
)

// checkNeeds refuses needs of rules that do not exist, and those that go in a circle.
func checkNeeds(rules []Rule) Problems {
	index := map[string]int{}
	for i, r := range rules {
		if _, known := index[r.Name]; !known {
			index[r.Name] = i
		}
	}
	var out Problems
	for i, r := range rules {
		if len(r.Needs) > MaxList {
			return nil // check has said so
		}
		for _, need := range r.Needs {
			other, known := index[need]
			p := Problem{Rule: nameOf(r, i), Index: i, Field: "needs"}
			switch {
			case !known:
				p.What, p.Why, p.Fix = fmt.Sprintf("%s is no rule", quoted(need)), "needs names other rules of the same set", knownNames(rules)
			case fieldOf(rules[other]) != fieldOf(r):
				p.What, p.Why, p.Fix = fmt.Sprintf("rule %s is waited for in vain", need), fmt.Sprintf("it is for %s, and no ref is both", plural(fieldOf(rules[other]))), "leave it out"
				p.Warning = true
			default:
				continue
			}
			out = append(out, p)
		}
	}
	if circle := findCircle(rules, index); circle != nil {
		names := make([]string, len(circle))
		for k, i := range circle {
			names[k] = rules[i].Name
		}
		first := circle[0]
		out = append(out, Problem{Rule: nameOf(rules[first], first), Index: first, Field: "needs", What: "the rules wait for each other", Why: strings.Join(names, " needs "), Fix: "leave one of these needs out"})
	}
	return out
}

func knownNames(rules []Rule) string {
	var names []string
	for i, r := range rules {
		if nameOf(r, i) == r.Name {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return "leave it out"
	}
	return shown("write one of " + strings.Join(names, ", "))
}

// findCircle is a path of needs that ends where it began, nil when there is none.
func findCircle(rules []Rule, index map[string]int) []int {
	const open, done = 1, 2
	state := make([]int, len(rules))
	var path []int
	var visit func(i int) []int
	visit = func(i int) []int {
		switch state[i] {
		case done:
			return nil
		case open:
			for k, at := range path {
				if at == i {
					return append(path[k:len(path):len(path)], i)
				}
			}
		}
		state[i], path = open, append(path, i)
		for _, need := range rules[i].Needs {
			if next, known := index[need]; known {
				if circle := visit(next); circle != nil {
					return circle
				}
			}
		}
		state[i], path = done, path[:len(path)-1]
		return nil
	}
	for i := range rules {
		if circle := visit(i); circle != nil {
			return circle
		}
	}
	return nil
}
