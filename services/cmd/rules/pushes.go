package rules

import (
	"fmt"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type pushesCmd struct{ named }

func (c *pushesCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.RepositoryPath(c.Name)+"/pushes", client.Paged(), "No branch or git tag has moved since "+c.Name+" has build rules.",
		[]string{"REF", "COMMIT", "EVALUATED", "EVENT", "RESULT"}, func(p apitypes.Push) []string {
			return []string{p.Ref, p.Commit[:min(len(p.Commit), 12)], console.Time(&p.Evaluated), fmt.Sprint(p.Seq), p.Summary}
		})
}
