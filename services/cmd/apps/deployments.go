package apps

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Deployments are the commands that show deployments.
type Deployments struct {
	Ls    lsDeploymentsCmd    `cmd:"" help:"List the deployments of an application, the latest first."`
	Show  showDeploymentCmd   `cmd:"" help:"Show a deployment with its hosts, gates and events."`
	Watch watchDeploymentsCmd `cmd:"" help:"Follow the latest deployment of an environment until it is held or has ended."`
	Where whereCmd            `cmd:"" help:"Show what runs where, now or at an earlier time."`
}

type lsDeploymentsCmd struct {
	named
	Environment string `help:"Only those of this environment." placeholder:"NAME"`
}

func (c *lsDeploymentsCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "deployments")
	if err != nil {
		return err
	}
	query := url.Values{"limit": {"100"}}
	if c.Environment != "" {
		query.Set("environment", c.Environment)
	}
	return console.List(a, path, query, "No deployments. Deploy a release: hubledger deploy "+c.App+" production",
		[]string{"ID", "ENVIRONMENT", "RELEASE", "REQUESTED", "BY", "STATE"}, func(d apitypes.Deployment) []string {
			return []string{d.ID, d.Environment, strconv.Itoa(d.Release), console.Time(d.Requested), d.By, stateOf(d)}
		})
}

func stateOf(d apitypes.Deployment) string {
	if d.Final {
		return strings.ReplaceAll(d.Outcome, "_", " ")
	}
	if d.Step == "held" || d.Step == "shifting" {
		return fmt.Sprintf("%s at %d %%", d.Step, d.Share)
	}
	return d.Step
}

type showDeploymentCmd struct {
	named
	ID string `arg:"" help:"Id of the deployment."`
}

func (c *showDeploymentCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "deployments", c.ID)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(d apitypes.Deployment) error {
		facts := [][]string{{"deployment", d.ID}, {"release", fmt.Sprintf("%d, in %s", d.Release, d.Colour)}, {"replaces", number(d.Replaces)}, {"state", stateOf(d)}, {"requested", console.Time(d.Requested) + " by " + d.By}}
		for _, more := range [][]string{{"waits for", d.Waits}, {"you can", strings.Join(d.Can, ", ")}, {"why", strings.Join(d.Reasons, "; ")}, {"note", d.Note}} {
			if more[1] != "" {
				facts = append(facts, more)
			}
		}
		err := s.Facts(facts)
		if len(d.Hosts) > 0 && err == nil {
			fmt.Fprintln(s.Out)
			err = s.Table([]string{"HOST", "SIDE", "RELEASE", "WANTED", "SEEN", "RUNNING", "ERROR"}, hostRows(d.Hosts))
		}
		var rows [][]string
		for _, h := range d.History {
			rows = append(rows, []string{strconv.FormatUint(h.Seq, 10), console.Time(h.Time), h.By, fact(h.Type), h.What})
		}
		if err == nil {
			fmt.Fprintln(s.Out)
			err = s.Table([]string{"SEQ", "TIME", "BY", "EVENT", "WHAT"}, rows)
		}
		if d.Log != "" && err == nil {
			_, err = fmt.Fprintf(s.Out, "\n%s\n", strings.TrimRight(d.Log, "\n"))
		}
		return err
	})
}

func hostRows(list []apitypes.DeploymentHost) (rows [][]string) {
	for _, h := range list {
		for _, side := range h.Sides {
			seen := side.Reached
			switch {
			case h.Grey:
				seen = "grey: it does not answer"
			case side.Healthy:
				seen += ", healthy"
			case side.Drained:
				seen += ", drained"
			}
			if h.Excluded {
				seen += ", excluded"
			}
			rows = append(rows, []string{h.Name, cmp.Or(side.Colour, "stateful"), strconv.Itoa(side.Release), side.Wanted, seen, strconv.Itoa(side.Running), cmp.Or(side.Error, h.Error)})
		}
	}
	return rows
}

type watchDeploymentsCmd struct{ placed }

func (c *watchDeploymentsCmd) Run(s *console.Session) error {
	a, path, d, err := c.latest(s)
	if err != nil {
		return err
	}
	return follow(s, a, path, d.ID)
}

type whereCmd struct {
	console.Target
	App         string `arg:"" optional:"" help:"Full name, such as acme/shop. Without one: all that you may see."`
	Environment string `arg:"" optional:"" help:"Name of the environment, such as production."`
	Host        string `help:"Only what this host was told to run; without an application." placeholder:"HOST"`
	At          string `aliases:"as-of" help:"A time such as 2026-11-30T12:00:00Z, or the sequence of an event such as s12345." placeholder:"WHEN"`
}

// everywhere lists what runs or ran in all environments.
func (c *whereCmd) everywhere(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	q := url.Values{}
	if c.At != "" {
		q.Set("as_of", c.At)
	}
	if c.Host != "" {
		q.Set("host", c.Host)
	}
	var rows [][]string
	err = console.Each(a, "/running", q, func(e apitypes.RunningEnvironment) error {
		if s.JSON {
			return s.Print(e)
		}
		for _, row := range sidesRows(e.Sides) {
			rows = append(rows, append([]string{e.Application, e.Environment}, row...))
		}
		return nil
	})
	if err != nil || s.JSON {
		return err
	}
	if len(rows) == 0 {
		return c.nothing(s)
	}
	return s.Table(append([]string{"APPLICATION", "ENVIRONMENT"}, sidesHeader...), rows)
}

// nothing says that nothing was found.
func (c *whereCmd) nothing(s *console.Session) error {
	_, err := fmt.Fprintf(s.Out, "As far as you may see, nothing %s%s.\n", cmp.Or(console.If(c.At != "", "ran then"), "runs"), console.If(c.Host != "", " on "+c.Host))
	return err
}

var sidesHeader = []string{"SIDE", "RELEASE", "PHASE", "TRAFFIC", "HOSTS", "SERVICE", "DIGEST"}

func sidesRows(sides []apitypes.RunningSide) (rows [][]string) {
	for _, side := range sides {
		for _, i := range side.Images {
			rows = append(rows, []string{cmp.Or(side.Colour, "stateful"), strconv.Itoa(side.Release), side.Phase, fmt.Sprintf("%d %%", side.Share), strings.Join(side.Hosts, " "), i.Service, i.Digest})
		}
	}
	return rows
}

func (c *whereCmd) Run(s *console.Session) error {
	switch {
	case c.App == "":
		return c.everywhere(s)
	case c.Environment == "":
		return fmt.Errorf("name the environment, too: hubledger deployments where %s production", c.App)
	case c.Host != "":
		return errors.New("--host is for all applications: leave the application out")
	}
	a, path, err := placed{named{c.Target, c.App}, c.Environment}.open(s, "running")
	if err != nil {
		return err
	}
	if c.At != "" {
		path += "?" + url.Values{"at": {c.At}}.Encode()
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.RunningState) error {
		if len(v.Sides) == 0 {
			return c.nothing(s)
		}
		return s.Table(sidesHeader, sidesRows(v.Sides))
	})
}
