package apps

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// latest is the latest deployment of an environment.
func (c placed) latest(s *console.Session) (*console.API, string, apitypes.Deployment, error) {
	a, path, err := c.named.open(s)
	if err != nil {
		return nil, "", apitypes.Deployment{}, err
	}
	list, err := console.Get[apitypes.List[apitypes.Deployment]](a, path+"/deployments?"+url.Values{"limit": {"1"}, "environment": {c.Environment}}.Encode())
	if err == nil && len(list.Items) == 0 {
		err = fmt.Errorf("nothing was deployed to %s of %s yet: type hubledger deploy %[2]s %[1]s", c.Environment, c.App)
	}
	if err != nil {
		return nil, "", apitypes.Deployment{}, err
	}
	return a, path, list.Items[0], nil
}

// act decides something about the latest deployment, and says what has become of it.
func (c placed) act(s *console.Session, what string, body any, told func(apitypes.Deployment) string) error {
	a, path, d, err := c.latest(s)
	if err != nil {
		return err
	}
	return console.Send(a, "POST", path+"/deployments/"+d.ID+"/"+what, body, func(v apitypes.Deployment) error {
		_, err := fmt.Fprintf(s.Out, "%s (event %d).\n", told(v), v.Seq)
		return err
	})
}

// told is a message that does not depend on the deployment.
func told(message string) func(apitypes.Deployment) string {
	return func(apitypes.Deployment) string { return message }
}

// givenUp says what follows when a deployment is given up, by a person who did what verb says.
func givenUp(verb string) func(apitypes.Deployment) string {
	return func(d apitypes.Deployment) string {
		text := fmt.Sprintf("%s release %d of %s in %s: ", verb, d.Release, d.Application, d.Environment)
		other := map[string]string{"blue": "green", "green": "blue"}[d.Colour]
		switch {
		case d.Replaces == 0:
			return text + "nothing has its traffic"
		case d.Step == "returning":
			return text + fmt.Sprintf("release %d comes up again in %s, and has the traffic once it is healthy on all hosts", d.Replaces, other)
		}
		return text + fmt.Sprintf("release %d, in %s, has all of the traffic", d.Replaces, other)
	}
}

// Promote is the command that promotes.
type Promote struct {
	placed
	Reason string `help:"Reason; required when gates have not passed." placeholder:"TEXT"`
}

// Run promotes the latest deployment.
func (c *Promote) Run(s *console.Session) error {
	return c.act(s, "promote", apitypes.DeploymentAction{Reason: c.Reason}, func(d apitypes.Deployment) string {
		return fmt.Sprintf("Release %d of %s, in %s, has all of the traffic in %s: promoted by %s", d.Release, c.App, d.Colour, c.Environment, d.PromotedBy)
	})
}

// Rollback is the command that goes back.
type Rollback struct {
	placed
	Release int    `help:"Number of the release to bring back; default: the one that ran before the latest deployment." placeholder:"N"`
	Reason  string `help:"Why." placeholder:"TEXT"`
	Detach  bool   `help:"Do not follow it."`
}

// Run gives up the deployment that has the environment; where none has, it deploys the
// release of before.
func (c *Rollback) Run(s *console.Session) error {
	a, path, d, err := c.latest(s)
	if err != nil {
		return err
	}
	if !d.Final && c.Release == 0 {
		return c.act(s, "rollback", apitypes.DeploymentAction{Reason: c.Reason}, givenUp("Gave up"))
	}
	number := c.Release
	if number == 0 && d.Outcome == "promoted" {
		number = d.Replaces
	}
	if number == 0 {
		return fmt.Errorf("it is not clear what to go back to: the latest deployment was %s; name a release with --release, of hubledger releases ls %s", strings.ReplaceAll(cmp.Or(d.Outcome, "the first one"), "_", " "), c.App)
	}
	return c.start(s, a, path, apitypes.DeployRequest{Release: number, Rollback: true, Note: c.Reason}, c.Detach)
}

// Cancel is the command that gives a deployment up.
type Cancel struct {
	placed
	Reason string `help:"Why." placeholder:"TEXT"`
}

// Run cancels the latest deployment.
func (c *Cancel) Run(s *console.Session) error {
	return c.act(s, "cancel", apitypes.DeploymentAction{Reason: c.Reason}, givenUp("Cancelled"))
}

// ExcludeHost is the command that goes on without a host.
type ExcludeHost struct {
	placed
	Host   string `arg:"" help:"Name of the host."`
	Reason string `help:"Why." placeholder:"TEXT"`
}

// Run excludes a host from the latest deployment.
func (c *ExcludeHost) Run(s *console.Session) error {
	return c.act(s, "exclude-host", apitypes.ExcludeHostRequest{Host: c.Host, Reason: c.Reason}, told("Goes on without "+c.Host))
}

// Gates are the commands on gates.
type Gates struct {
	Ls  lsGatesCmd `cmd:"" help:"Show the gates of the latest deployment with their verdicts."`
	Set setGateCmd `cmd:"" help:"Say as a person what a gate has found. It measures no more in this deployment."`

	Hook gateHookCmd `cmd:"" help:"Make the URL at which the error tracker of a gate reports. It is shown once; the previous URL stops working."`
}

type lsGatesCmd struct{ placed }

func (c *lsGatesCmd) Run(s *console.Session) error {
	a, path, d, err := c.latest(s)
	if err == nil {
		d, err = console.Get[apitypes.Deployment](a, path+"/deployments/"+d.ID) // a list has no gates
	}
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(d.Gates)
	}
	if len(d.Gates) == 0 {
		_, err := fmt.Fprintln(s.Out, "No gates. The policy of the environment names them: hubledger apps policy show "+c.App+" "+c.Environment)
		return err
	}
	var rows [][]string
	for _, g := range d.Gates {
		rows = append(rows, []string{g.Name, g.Kind, g.Verdict, console.If(g.Manual, "a person"), measured(g), g.Reason})
	}
	return s.Table([]string{"GATE", "KIND", "VERDICT", "BY", "MEASURES NOW", "REASON"}, rows)
}

// measured is what a gate finds of each colour, in a few words.
func measured(g apitypes.DeploymentGate) string {
	var all []string
	for _, c := range g.Measured {
		all = append(all, c.Colour+": "+c.Found)
	}
	return strings.Join(all, ", ")
}

type setGateCmd struct {
	placed
	Gate    string `arg:"" help:"Name of the gate."`
	Verdict string `arg:"" enum:"pass,fail,inconclusive" help:"pass, fail or inconclusive."`
	Reason  string `required:"" help:"Why." placeholder:"TEXT"`
}

func (c *setGateCmd) Run(s *console.Session) error {
	return c.act(s, "gates/"+url.PathEscape(c.Gate), apitypes.GateRequest{Verdict: c.Verdict, Reason: c.Reason}, told("The gate "+c.Gate+" says "+c.Verdict))
}

type gateHookCmd struct {
	placed
	Gate   string `arg:"" help:"Name of a gate of kind webhook in the policy of the environment."`
	Signed bool   `help:"Requests are signed, too: you are asked for the key, such as the client secret of an integration of Sentry, or it is the one line of standard input."`
	Remove bool   `help:"Take the URL away instead."`
}

func (c *gateHookCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "gates", c.Gate, "hook")
	if err != nil {
		return err
	}
	if c.Remove {
		return a.Change("DELETE", path, nil, "Took the URL of the gate "+c.Gate+" away")
	}
	var in apitypes.GateHookRequest
	if c.Signed {
		if in.Key, err = s.SecretValue("the key", ""); err != nil {
			return err
		}
	}
	return console.Send(a, "PUT", path, in, func(v apitypes.GateHook) error {
		_, err := fmt.Fprintf(s.Out, "Give this URL to the error tracker. It is shown once, and whoever knows it can let the gate fail:\n\n  %s\n", v.URL)
		return err
	})
}
