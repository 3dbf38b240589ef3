package rules

import (
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
)

// named is the argument of commands on the rules of one repository.
type named struct {
	console.Target
	Name string `arg:"" help:"Repository, such as alice/app."`
}

func (n *named) path() string { return client.RepositoryPath(n.Name) + "/rules" }

type showCmd struct{ named }

// Run prints a file that rules set takes. What people should look at goes to
// standard error.
func (c *showCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", c.path(), nil, func(r apitypes.Rules) error {
		if len(r.Rules) == 0 && !r.FromFile {
			_, err := fmt.Fprintf(s.Out, "%s has no automated builds.\n", c.Name)
			return err
		}
		report(s, r.Warnings)
		if r.FromFile {
			fmt.Fprintf(s.Out, "# The rules in %s of a commit are taken instead, when the commit has that file.\n", buildrule.FileName)
		}
		_, err := fmt.Fprintf(s.Out, "# Build rules of %s%s, set by %s (event %d).\n%s", c.Name, console.If(r.Source != "", " for the git source "+r.Source), r.ChangedBy, r.Seq,
			buildrule.WriteFile(r.Rules))
		return err
	})
}
