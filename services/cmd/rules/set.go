package rules

import (
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type setCmd struct {
	named
	File     string  `arg:"" optional:"" help:"File of rules, as YAML or JSON; - for standard input." placeholder:"FILE"`
	Source   string  `help:"Git source whose branches and tags the rules are for, such as alice/app. Without it the one that the rules have now, or else one that is called like the repository." placeholder:"NAME"`
	FromFile bool    `help:"Take the rules in .hubledger.yml of each commit, when it has that file; those of FILE count for other commits. Whoever may push to the git repository sets them then."`
	None     bool    `help:"End the automated builds of the repository."`
	Seq      *uint64 `help:"Change the rules only if they still are those of this event; 0: if they never were set." placeholder:"SEQ"`
}

// Validate is called by kong.
func (c *setCmd) Validate() error {
	if c.None == (c.File != "" || c.FromFile) || c.None && c.Source != "" {
		return errors.New("give a file of rules, --from-file, or both, or else --none")
	}
	return nil
}

func (c *setCmd) Run(s *console.Session) error {
	want := apitypes.SetRulesRequest{Rules: []events.BuildRule{}, Seq: c.Seq, FromFile: c.FromFile}
	want.Source = c.Source
	if c.File != "" {
		rules, err := readRules(s, c.File, false)
		if err != nil {
			return err
		}
		if len(rules) == 0 {
			return fmt.Errorf("%s has no rules: --none ends the automated builds", c.File)
		}
		want.Rules = rules
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	if !c.None && want.Source == "" {
		now, err := console.Get[apitypes.Rules](a, c.path())
		if err != nil {
			return err
		}
		if want.Source = now.Source; want.Source == "" {
			want.Source = c.Name
		}
	}
	return console.Send(a, "PUT", c.path(), want, func(r apitypes.Rules) error {
		report(s, r.Warnings)
		message := fmt.Sprintf("Set the build rules of %s for the git source %s", c.Name, r.Source)
		if c.None {
			message = "Ended the automated builds of " + c.Name
		}
		if r.FromFile {
			message += ", and those of .hubledger.yml in each commit that has it"
		}
		_, err := fmt.Fprintf(s.Out, "%s (event %d).\n", message, r.Seq)
		return err
	})
}
