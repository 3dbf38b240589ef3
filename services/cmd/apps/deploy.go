package apps

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Deploy is the command that deploys.
type Deploy struct {
	placed
	Release int    `help:"Number of the release; without it one is made of what the tags name now." placeholder:"N"`
	Note    string `help:"What to say of it." placeholder:"TEXT"`
	Yes     bool   `help:"Do not ask."`
	Detach  bool   `help:"Do not follow it."`
}

// Run shows what the release changes, asks, deploys it, and follows it.
func (c *Deploy) Run(s *console.Session) error {
	if err := s.CanAsk(); err != nil && !c.Yes { // or a release would be made in vain
		return fmt.Errorf("%w; --yes does not ask", err)
	}
	a, path, err := c.named.open(s)
	if err != nil {
		return err
	}
	number := c.Release
	if number == 0 {
		made, err := console.Post[apitypes.Release](a, path+"/releases", apitypes.MakeReleaseRequest{Note: c.Note})
		if err != nil {
			return err
		}
		number = made.Number
	}
	if err := c.confirm(s, a, path, number); err != nil {
		return err
	}
	return c.start(s, a, path, apitypes.DeployRequest{Release: number, Note: c.Note}, c.Detach)
}

// confirm says from what to what, and asks.
func (c *Deploy) confirm(s *console.Session, a *console.API, path string, number int) error {
	if c.Yes {
		return nil
	}
	now, err := console.Get[apitypes.RunningState](a, path+"/environments/"+url.PathEscape(c.Environment)+"/running")
	if err != nil {
		return err
	}
	from := live(now)
	if from == 0 {
		fmt.Fprintf(s.Err, "%s of %s: nothing runs yet -> release %d\n", c.Environment, c.App, number)
	} else {
		fmt.Fprintf(s.Err, "%s of %s: release %d -> release %d\n", c.Environment, c.App, from, number)
	}
	diff, err := console.Get[apitypes.ReleaseDiff](a, fmt.Sprintf("%s/releases/%d/diff?from=%d", path, number, from))
	if err != nil {
		return err
	}
	for _, i := range diff.Images {
		fmt.Fprintf(s.Err, "  image of %s: %s -> %s\n", i.Service, pinned(i.From), pinned(i.To))
	}
	for _, e := range diff.Configurations {
		if e.Environment == c.Environment && e.From != e.To {
			fmt.Fprintf(s.Err, "  configuration %d -> %d: %s\n", e.From, e.To, strings.Join(e.Keys, ", "))
		}
	}
	if len(diff.Compose) > 0 && from > 0 {
		fmt.Fprintf(s.Err, "  the Compose file differs: hubledger releases diff %s %d %d\n", c.App, from, number)
	}
	return agreed(s, "Deploy it? y or n")
}

// agreed asks, and is an error unless somebody says yes.
func agreed(s *console.Session, question string) error {
	answer, err := s.Question(question)
	if err != nil {
		return fmt.Errorf("%w; --yes does not ask", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// live is the number of the release that has the traffic, 0 for none.
func live(now apitypes.RunningState) int {
	for _, side := range now.Sides {
		if side.Colour != "" && side.Share > 50 {
			return side.Release
		}
	}
	return 0
}

// start asks for a deployment, and follows it.
func (c placed) start(s *console.Session, a *console.API, path string, want apitypes.DeployRequest, detach bool) error {
	d, err := console.Post[apitypes.Deployment](a, path+"/environments/"+url.PathEscape(c.Environment)+"/deployments", want)
	if err != nil {
		return err
	}
	if detach {
		if s.JSON {
			return s.Print(d)
		}
		_, err := fmt.Fprintf(s.Out, "Deployment %s of release %d began (event %d).\n", d.ID, d.Release, d.Seq)
		return err
	}
	return follow(s, a, path, d.ID)
}

// follow prints what happens in a deployment until it is held or has ended.
func follow(s *console.Session, a *console.API, path, id string) error {
	var seen uint64
	waits := ""
	for {
		d, err := console.Get[apitypes.Deployment](a, path+"/deployments/"+url.PathEscape(id))
		if err != nil {
			return err
		}
		for _, h := range d.History {
			if h.Seq > seen && !s.JSON {
				fmt.Fprintln(s.Out, strings.TrimRight(fmt.Sprintf("%-8d %s  %-13s %s", h.Seq, console.Time(h.Time), fact(h.Type), h.What), " "))
			}
			seen = max(seen, h.Seq)
		}
		if d.Final || d.Step == "held" {
			return end(s, d)
		}
		if d.Waits != waits && d.Waits != "" {
			fmt.Fprintln(s.Err, "waits for "+d.Waits+pulling(d))
		}
		waits = d.Waits
		select {
		case <-s.Context.Done():
			return s.Context.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// fact is what the type of an event says of a deployment.
func fact(kind string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(kind, "deployment."), ".v1"), "_", " ")
}

// pulling is how far the images are pulled.
func pulling(d apitypes.Deployment) string {
	if d.Step != "pulling" {
		return ""
	}
	var done, all int64
	for _, h := range d.Hosts {
		for _, side := range h.Sides {
			if side.Wanted == "pull" {
				done, all = done+side.Pulled, all+side.ToPull
			}
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d MB)", done>>20, all>>20)
}

// end says how a deployment ended, or what can be done while it is held. What was not promoted
// is an error.
func end(s *console.Session, d apitypes.Deployment) error {
	if s.JSON {
		if err := s.Print(d); err != nil {
			return err
		}
	} else if !d.Final {
		fmt.Fprintf(s.Out, "Held: release %d has %d %% of the traffic. It waits for %s.\n  hubledger promote %s %s\n  hubledger rollback %[4]s %[5]s\n", d.Release, d.Share, d.Waits, d.Application, d.Environment)
	}
	if d.Final && d.Outcome != "promoted" {
		if d.Log != "" && !s.JSON {
			fmt.Fprintln(s.Out, strings.TrimRight(d.Log, "\n"))
		}
		why := strings.Join(d.Reasons, "; ")
		return fmt.Errorf("release %d was not deployed (%s)%s", d.Release, strings.ReplaceAll(d.Outcome, "_", " "), cmp.Or(strings.TrimSuffix(": "+why, ": "), ""))
	}
	return nil
}
