package rules

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
)

type simulateCmd struct {
	console.Target
	File        string   `arg:"" optional:"" help:"File of rules, as YAML or JSON; - for standard input. Without it .hubledger.yml, or with --repository the rules of the repository." placeholder:"FILE"`
	Repository  string   `help:"Ask the hub for the rules of this repository, and without --ref for the branches and tags of its git source." placeholder:"NAME"`
	Source      string   `help:"With --repository: take the branches and tags of this git source." placeholder:"NAME"`
	Ref         []string `sep:"none" help:"Full name of a branch or git tag, such as refs/heads/main or refs/tags/v1.0; may be repeated." placeholder:"REF"`
	Changed     []string `sep:"none" help:"Path of a changed file, for rules with path filters; may be repeated. Without it nothing is known of changed files: path filters decide when the commit is fetched." placeholder:"PATH"`
	PullRequest string   `help:"Simulate a pull request to the branch instead: from the repository itself (own) or from a fork." enum:"own,fork," default:"" placeholder:"own|fork"`
}

// Validate is called by kong.
func (c *simulateCmd) Validate() error {
	switch {
	case c.Repository == "" && len(c.Ref) == 0:
		return errors.New("say which refs with --ref, such as --ref refs/tags/v1.0, or name a --repository whose git source has them")
	case c.Repository == "" && c.Source != "":
		return errors.New("--source names a git source of the hub: give --repository, too")
	}
	_, err := c.refs()
	return err
}

func (c *simulateCmd) Run(s *console.Session) error {
	if c.Repository != "" {
		return c.ask(s)
	}
	refs, err := c.refs()
	if err != nil {
		return err
	}
	rules, err := readRules(s, cmp.Or(c.File, buildrule.FileName), true)
	if err != nil {
		return err
	}
	sim := buildrule.Simulate(rules, refs)
	if s.JSON {
		return s.Print(sim)
	}
	return printSimulation(s, sim)
}

// ask lets the hub simulate.
func (c *simulateCmd) ask(s *console.Session) error {
	want := apitypes.SimulateRulesRequest{Source: c.Source, Refs: c.Ref, Changed: c.Changed, PullRequest: c.PullRequest}
	if c.File != "" {
		rules, err := readRules(s, c.File, true)
		if err != nil {
			return err
		}
		want.Rules = &rules
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", client.RepositoryPath(c.Repository)+"/rules/simulate", want, func(sim buildrule.Simulation) error { return printSimulation(s, sim) })
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

// printSimulation prints what rules make of refs, for people.
func printSimulation(s *console.Session, sim buildrule.Simulation) error {
	if sim.FromFile {
		const try = "hubledger rules simulate FILE --repository NAME tries a file"
		if len(sim.Rules) == 0 {
			_, err := fmt.Fprintf(s.Out, "The rules are those of %s in each commit, and are not known here: %s.\n", buildrule.FileName, try)
			return err
		}
		fmt.Fprintf(s.Err, "These rules are for commits without %s, whose own rules count otherwise: %s.\n", buildrule.FileName, try)
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
	if sim.LeftOut > 0 {
		fmt.Fprintf(s.Out, "\nRefs left out, because only a limited number is simulated at once: %d.\n", sim.LeftOut)
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
