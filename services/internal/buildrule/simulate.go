package buildrule

import (
	"fmt"
	"slices"
	"strings"
)

// MaxSimulated bounds the refs of one Simulate: with MaxRules each has some 20 kB of
// sentences.
const MaxSimulated = 1000

// A Simulation says what rules would make of refs, before they are saved.
type Simulation struct {
	Refs  []Simulated   `json:"refs"`  // in the order asked
	Rules []RuleSummary `json:"rules"` // in the order of the rules
	// Contested are tags that several of the refs would give. The ref that moved last
	// has such a tag.
	Contested []Contested `json:"contested,omitempty"`
	// LeftOut is how many refs were over MaxSimulated.
	LeftOut int `json:"leftOut,omitempty"`
}

// A Simulated ref has a verdict of every rule, and a sentence of them for people.
type Simulated struct {
	Ref      Ref       `json:"ref"`
	Sentence string    `json:"sentence"`
	Verdicts []Verdict `json:"verdicts"`
}

// A RuleSummary counts the verdicts of one rule.
type RuleSummary struct {
	Rule   string         `json:"rule"`
	Builds int            `json:"builds"`
	Tests  int            `json:"tests"`
	Skips  map[Reason]int `json:"skips,omitempty"`
}

// Contested is a tag that several refs would give.
type Contested struct {
	Tag  string   `json:"tag"`
	Refs []string `json:"refs"` // for people, at most ten
	More int      `json:"more,omitempty"`
}

// Simulate evaluates every ref, as Evaluate does, with one bound on the cost of path
// filters for all of them.
func Simulate(rules []Rule, refs []Ref) Simulation {
	set := Compile(rules)
	s := Simulation{LeftOut: max(0, len(refs)-MaxSimulated)}
	for i, r := range set.rules {
		s.Rules = append(s.Rules, RuleSummary{Rule: nameOf(r.Rule, i), Skips: map[Reason]int{}})
	}
	budget := 5 * maxComparisons
	givers := map[string][]string{}
	for _, ref := range refs[:min(len(refs), MaxSimulated)] {
		verdicts := set.within(&budget, ref)
		s.Refs = append(s.Refs, Simulated{ref, Sentence(ref, verdicts), verdicts})
		for i, v := range verdicts {
			switch v.Outcome {
			case Build:
				s.Rules[i].Builds++
			case Test:
				s.Rules[i].Tests++
			case Skip:
				s.Rules[i].Skips[v.Reason]++
			}
			for _, tag := range v.Tags {
				had := givers[tag]
				if name := ref.String(); len(had) == 0 || had[len(had)-1] != name { // not of another rule
					givers[tag] = append(had, name)
				}
			}
		}
	}
	s.Contested = contested(givers)
	return s
}

func contested(givers map[string][]string) []Contested {
	const most = 10
	var out []Contested
	for tag, refs := range givers {
		if len(refs) > 1 {
			out = append(out, Contested{tag, refs[:min(len(refs), most)], max(0, len(refs)-most)})
		}
	}
	slices.SortFunc(out, func(a, b Contested) int { return strings.Compare(a.Tag, b.Tag) })
	return out
}

// Sentence says what becomes of a ref and why, in words for people: "tag v1.0 would
// build 1.0 and latest, because rule release: …". Of a ref that nothing is built for it
// names the reason of every rule.
func Sentence(ref Ref, verdicts []Verdict) string {
	var does, not []string
	for _, v := range verdicts {
		switch v.Outcome {
		case Build:
			text := fmt.Sprintf("would build %s, because rule %s: %s", and(v.Tags), v.Rule, v.Detail)
			for _, r := range v.Refused {
				text += fmt.Sprintf(" (%s gives no tag: %s)", r.Template, r.Detail)
			}
			does = append(does, text)
		case Test:
			does = append(does, fmt.Sprintf("would be tested, because rule %s: %s", v.Rule, v.Detail))
		case Skip:
			not = append(not, fmt.Sprintf("rule %s: %s", v.Rule, v.Detail))
		}
	}
	switch {
	case len(does) > 0:
		return ref.String() + " " + strings.Join(does, "; and ") + "."
	case len(not) > 0:
		return ref.String() + " would build nothing: " + strings.Join(not, "; ") + "."
	}
	return ref.String() + " would build nothing: there are no rules."
}

func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
