package rules

import (
	"fmt"
	"net/url"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type triggersCmd struct {
	Ls     triggersLsCmd     `cmd:"" default:"withargs" help:"List the build triggers of a repository."`
	Create triggersCreateCmd `cmd:"" help:"Make a URL that has the repository built when it is called, such as by cron. It is shown once."`
	Delete triggersDeleteCmd `cmd:"" help:"Delete a build trigger: its URL does nothing any more."`
}

type triggersLsCmd struct{ named }

type triggersCreateCmd struct {
	named
	For string `arg:"" help:"What it is for, such as nightly." placeholder:"FOR"`
}

type triggersDeleteCmd struct {
	named
	ID string `arg:"" help:"Id of the trigger." placeholder:"ID"`
}

func (c *triggersLsCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.List(a, client.RepositoryPath(c.Name)+"/triggers", nil, c.Name+" has no build triggers.", []string{"ID", "FOR", "CREATED", "BY"},
		func(t apitypes.Trigger) []string {
			return []string{t.ID, t.Name, console.Time(&t.Created), t.CreatedBy}
		})
}

func (c *triggersCreateCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", client.RepositoryPath(c.Name)+"/triggers", apitypes.CreateTriggerRequest{Name: c.For}, func(t apitypes.CreatedTrigger) error {
		_, err := fmt.Fprintf(s.Out, "%s\n\nWhoever knows this URL may have %s built. It is not shown again. Call it:\n\n  curl -X POST %s\n", t.URL, c.Name, t.URL)
		return err
	})
}

func (c *triggersDeleteCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	return a.Change("DELETE", client.RepositoryPath(c.Name)+"/triggers/"+url.PathEscape(c.ID), nil, "Deleted the build trigger "+c.ID+" of "+c.Name)
}
