package buildrule

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds of one Simulate.
const (
	MaxSimulated = 1000        // refs
	maxVerdicts  = 5000        // some 300 bytes of sentences each
	maxMatching  = 200_000_000 // bytes of names times steps of patterns: some seconds
)

// A Simulation says what rules would make of refs, before they are saved.
type Simulation struct {
	Refs  []Simulated   `json:"refs" nullable:"false" doc:"In the order asked"`
	Rules []RuleSummary `json:"rules" nullable:"false" doc:"In the order of the rules"`
	// The ref that moved last has a contested tag.
	Contested []Contested `json:"contested,omitempty" nullable:"false" doc:"Tags that several of the refs would give: the one that moved last has it"`
	LeftOut   int         `json:"leftOut,omitempty" doc:"How many refs more there were than are simulated at once"`
	FromFile  bool        `json:"fromFile,omitempty" doc:"The rules of a commit that has .hubledger.yml are those of that file: these are for other commits"`
}

// ForOtherCommits says of a simulation that commits with a file of rules have others,
// which are not known here.
func (s Simulation) ForOtherCommits() Simulation {
	s.FromFile = true
	for k := range s.Refs {
		if len(s.Rules) == 0 {
			s.Refs[k].Sentence = fmt.Sprintf("%s would be built by the rules of %s in its commit, if it has that file.", s.Refs[k].Ref, FileName)
		}
	}
	return s
}

// A Simulated ref has a verdict of every rule, and a sentence of them for people.
type Simulated struct {
	Ref      Ref       `json:"ref" doc:"Branch or git tag"`
	Sentence string    `json:"sentence" doc:"What would become of it, and why"`
	Verdicts []Verdict `json:"verdicts" nullable:"false" doc:"One of each rule, in their order"`
}

// A RuleSummary counts the verdicts of one rule.
type RuleSummary struct {
	Rule   string         `json:"rule" doc:"Name of the rule"`
	Builds int            `json:"builds" doc:"Refs that it would build"`
	Tests  int            `json:"tests" doc:"Refs that it would only test"`
	Skips  map[Reason]int `json:"skips,omitempty" doc:"Refs that it would skip, by reason"`
}

// Contested is a tag that several refs would give.
type Contested struct {
	Tag  string   `json:"tag" doc:"Of the image"`
	Refs []string `json:"refs" nullable:"false" doc:"For people, at most ten"`
	More int      `json:"more,omitempty" doc:"How many others would give it, too"`
}

// Simulate evaluates refs, as Evaluate does, within bounds: those that are left out are
// the last ones.
func Simulate(rules []Rule, refs []Ref) Simulation {
	set := Compile(rules)
	s := Simulation{Refs: []Simulated{}, Rules: []RuleSummary{}}
	for i, r := range set.rules {
		s.Rules = append(s.Rules, RuleSummary{Rule: nameOf(r.Rule, i), Skips: map[Reason]int{}})
	}
	most := min(len(refs), MaxSimulated, maxVerdicts/max(1, len(set.rules)))
	budget, matching := maxComparisons, maxMatching
	givers := map[string][]string{}
	for _, ref := range refs[:most] {
		if matching -= min(len(ref.Name), MaxRefName) * set.size; matching < 0 {
			break
		}
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
	s.LeftOut = len(refs) - len(s.Refs)
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

// Summary says in few words what verdicts come to: "to build 1.0 and latest".
func Summary(verdicts []Verdict) string {
	var does []string
	for _, v := range verdicts {
		switch v.Outcome {
		case Build:
			does = append(does, "to build "+and(v.Tags))
		case Test:
			does = append(does, "to test by rule "+v.Rule)
		}
	}
	if len(does) == 0 {
		return "nothing to build"
	}
	return strings.Join(does, "; ")
}

func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
