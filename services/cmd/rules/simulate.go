package rules

import (
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/buildrule"
)

type simulateCmd struct {
	file
	Ref         []string `required:"" sep:"none" help:"Full name of a branch or git tag, such as refs/heads/main or refs/tags/v1.0; may be repeated." placeholder:"REF"`
	Changed     []string `sep:"none" help:"Path of a changed file, for rules with path filters; may be repeated. Without it nothing is known of changed files, and every path filter lets the ref pass." placeholder:"PATH"`
	PullRequest string   `help:"Simulate a pull request to the branch instead: from the repository itself (own) or from a fork." enum:"own,fork," default:"" placeholder:"own|fork"`
}

func (c *simulateCmd) Run(s *console.Session) error {
	refs, err := c.refs()
	if err != nil {
		return &console.ExitError{Err: err, Code: console.ExitUsage}
	}
	rules, err := c.read(s)
	if err != nil {
		return err
	}
	return printSimulation(s, buildrule.Simulate(rules, refs))
}

func (c *simulateCmd) refs() ([]buildrule.Ref, error) {
	if len(c.Ref) > buildrule.MaxSimulated {
		return nil, fmt.Errorf("there are %d refs: at most %d are simulated at once", len(c.Ref), buildrule.MaxSimulated)
	}
	var refs []buildrule.Ref
	for _, full := range c.Ref {
		ref, err := buildrule.ParseRef(full)
		if err != nil {
			return nil, err
		}
		if c.PullRequest != "" && ref.Kind != buildrule.Branch {
			return nil, errors.New("a pull request goes to a branch: write --ref refs/heads/… with --pull-request")
		}
		ref.Changed, ref.ChangesKnown, ref.PullRequest = c.Changed, len(c.Changed) > 0, c.PullRequest
		refs = append(refs, ref)
	}
	return refs, nil
}

// printSimulation prints what rules make of refs.
func printSimulation(s *console.Session, sim buildrule.Simulation) error {
	if s.JSON {
		return s.Print(sim)
	}
	if len(sim.Rules) == 0 {
		_, err := fmt.Fprintln(s.Out, "There are no rules: nothing would be built.")
		return err
	}
	var rows [][]string
	for _, r := range sim.Refs {
		for _, v := range r.Verdicts {
			why := v.Detail
			for _, refused := range v.Refused {
				if v.Outcome == buildrule.Build {
					why += fmt.Sprintf("; %s gives no tag: %s", refused.Template, refused.Detail)
				}
			}
			rows = append(rows, []string{r.Ref.String(), v.Rule, string(v.Outcome), strings.Join(v.Tags, ", "), why})
		}
	}
	if err := s.Table([]string{"REF", "RULE", "DOES", "TAGS", "BECAUSE"}, rows); err != nil {
		return err
	}
	for _, c := range sim.Contested {
		refs := strings.Join(c.Refs, ", ")
		if c.More > 0 {
			refs += fmt.Sprintf(" and %d more", c.More)
		}
		if _, err := fmt.Fprintf(s.Out, "\nThe tag %s is of whichever of these moved last: %s.\n", c.Tag, refs); err != nil {
			return err
		}
	}
	return nil
}
