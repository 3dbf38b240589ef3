package apps

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"hubledger/events"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type hostsCmds struct {
	Show showHostsCmd `cmd:"" help:"Show the hosts of an environment."`
	Set  setHostsCmd  `cmd:"" help:"Set the hosts of an environment: all of them, from the next deployment on."`
}

type showHostsCmd struct{ placed }

func (c *showHostsCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "hosts")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.AppHosts) error {
		if len(v.Web)+len(v.Worker)+len(v.Stateful) == 0 {
			_, err := fmt.Fprintf(s.Out, "No hosts. Set them: hubledger apps hosts set %s %s --web HOST --worker HOST --stateful HOST\n", c.App, c.Environment)
			return err
		}
		return s.Facts([][]string{{"web", strings.Join(v.Web, ", ")}, {"worker", strings.Join(v.Worker, ", ")}, {"stateful", strings.Join(v.Stateful, ", ")}, {"set", console.Time(v.Changed) + " by " + v.ChangedBy}})
	})
}

type setHostsCmd struct {
	placed
	Web      []string `help:"Hosts of the web services, with commas between them." placeholder:"HOST"`
	Worker   []string `help:"Hosts of the workers." placeholder:"HOST"`
	Stateful []string `help:"The host of the stateful services." placeholder:"HOST"`
	Seq      *uint64  `help:"Set them only if they still are those of this event; 0: if they never were set." placeholder:"SEQ"`
}

func (c *setHostsCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "hosts")
	if err != nil {
		return err
	}
	return a.Change("PUT", path, apitypes.AppHosts{Web: c.Web, Worker: c.Worker, Stateful: c.Stateful, Seq: c.Seq}, "Set the hosts of "+c.Environment+" of "+c.App)
}

type policyCmds struct {
	Show showPolicyCmd `cmd:"" help:"Show the deployment policy of an environment, as JSON."`
	Set  setPolicyCmd  `cmd:"" help:"Set the deployment policy of an environment from a JSON file, or change parts of it by flags."`
}

type showPolicyCmd struct{ placed }

func (c *showPolicyCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "policy")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.AppPolicy) error {
		text, err := json.MarshalIndent(v.Policy, "", "  ")
		if err == nil {
			_, err = fmt.Fprintln(s.Out, string(text))
		}
		return err
	})
}

type setPolicyCmd struct {
	placed
	File      string   `arg:"" optional:"" help:"The whole policy, as policy show prints it; - is standard input."`
	Steps     []int    `help:"Percents of the traffic that a new release gets one after the other, such as 5,25,50." placeholder:"N"`
	Automatic *int     `help:"Promote automatically when all gates have passed for this many seconds; 0: a person promotes." placeholder:"SECONDS"`
	RollBack  *bool    `negatable:"" help:"Go back by itself when a gate fails."`
	Owners    *bool    `negatable:"" help:"Only owners of the namespace deploy."`
	Two       *bool    `negatable:"" help:"Whoever has asked for a deployment does not promote it."`
	OnPush    []string `help:"Deploy when this is pushed: a repository of the namespace, and a tag or a pattern with *; none for never." placeholder:"NAME:TAG"`
	Seq       *uint64  `help:"Set it only if it still is that of this event; 0: if it never was set. By flags alone it always is what was read." placeholder:"SEQ"`
}

func (c *setPolicyCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "policy")
	if err != nil {
		return err
	}
	var p events.DeployPolicy
	seen := c.Seq
	if c.File != "" {
		if p, err = readPolicy(c.File); err != nil {
			return err
		}
	} else {
		now, err := console.Get[apitypes.AppPolicy](a, path)
		if err != nil {
			return err
		}
		p = now.Policy
		if seen == nil {
			seen = &now.Seq
		}
	}
	if len(c.Steps) > 0 {
		p.Steps = c.Steps
	}
	if c.Automatic != nil {
		p.Automatic = *c.Automatic
	}
	for _, flag := range []struct {
		to    *bool
		given *bool
	}{{&p.RollBack, c.RollBack}, {&p.Owners, c.Owners}, {&p.Two, c.Two}} {
		if flag.given != nil {
			*flag.to = *flag.given
		}
	}
	if len(c.OnPush) > 0 {
		p.OnPush = nil
	}
	for _, one := range c.OnPush {
		name, tag, ok := strings.Cut(one, ":")
		if one == "none" {
			continue
		}
		if !ok {
			return fmt.Errorf("%q names no tag: write NAME:TAG, such as acme/web:v*", one)
		}
		p.OnPush = append(p.OnPush, events.DeployOnPush{Repository: name, Tag: tag})
	}
	return a.Change("PUT", path, apitypes.SetAppPolicyRequest{DeployPolicy: p, Seq: seen}, "Set how "+c.App+" is deployed to "+c.Environment)
}

// maxPolicy bounds a file of a policy, in bytes.
const maxPolicy = 1 << 20

func readPolicy(file string) (p events.DeployPolicy, err error) {
	in := os.Stdin
	if file != "-" {
		if in, err = os.Open(file); err != nil {
			return p, err
		}
		defer in.Close()
	}
	d := json.NewDecoder(io.LimitReader(in, maxPolicy))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("%s is no policy: %w; see one with hubledger apps policy show", file, err)
	}
	return p, nil
}
