package apps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type psCmd struct{ placed }

func (c *psCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "containers")
	if err != nil {
		return err
	}
	return console.List(a, path, nil, "No containers: no host has reported one. See hubledger hosts ls, and hubledger deployments where "+c.App+" "+c.Environment,
		[]string{"CONTAINER", "HOST", "COLOUR", "RELEASE", "SERVICE", "STATE", "STARTED", "RESTARTS"}, func(v apitypes.AppContainer) []string {
			started := "-"
			if v.Started != nil {
				started = console.Time(v.Started)
			}
			return []string{v.ID, v.Host, cmp.Or(v.Colour, "stateful"), strconv.Itoa(v.Release), v.Service + " " + strconv.Itoa(v.Index), strings.TrimSpace(v.State + " " + v.Health), started, strconv.Itoa(v.Restarts)}
		})
}

type logsCmd struct {
	placed
	Container string `help:"Only this container, by its id or name: apps ps lists them." placeholder:"ID"`
	Service   string `help:"Only containers of this service." placeholder:"NAME"`
	Colour    string `help:"Only those of this colour." enum:",blue,green" default:"" placeholder:"COLOUR"`
	Lines     int    `short:"n" help:"How many of the last lines of each to show, 1 to 2000." default:"200" placeholder:"N"`
	Follow    bool   `short:"f" help:"Keep printing what they write."`
}

// atOnce bounds how many containers are followed.
const atOnce = 16

func (c *logsCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "containers")
	if err != nil {
		return err
	}
	list, err := console.Get[apitypes.List[apitypes.AppContainer]](a, path)
	if err != nil {
		return err
	}
	var chosen []apitypes.AppContainer
	for _, v := range list.Items {
		id := c.Container == "" || c.Container == v.Name || len(c.Container) >= 12 && strings.HasPrefix(c.Container, v.ID)
		if id && (c.Service == "" || c.Service == v.Service) && (c.Colour == "" || c.Colour == v.Colour) {
			chosen = append(chosen, v)
		}
	}
	switch {
	case len(chosen) == 0:
		return fmt.Errorf("%s of %s has no such container now: see hubledger apps ps %[2]s %[1]s", c.Environment, c.App)
	case c.Follow && len(chosen) > atOnce:
		return fmt.Errorf("that are %d containers, and at most %d are followed: choose with --service, --colour or --container", len(chosen), atOnce)
	}
	out := &printer{s: s}
	if len(chosen) > 1 && !s.JSON {
		for _, v := range chosen {
			out.wide = max(out.wide, len(label(v)))
		}
	}
	ctx, stop := context.WithCancel(s.Context)
	defer stop()
	var work sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for _, v := range chosen {
		work.Go(func() {
			if err := c.print(ctx, a, path+client.Path(v.ID), v, out); err != nil && ctx.Err() == nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
		if !c.Follow {
			work.Wait() // one after the other
		}
	}
	work.Wait()
	return failed
}

// print prints what one container has written, and what it writes.
func (c *logsCmd) print(ctx context.Context, a *console.API, path string, v apitypes.AppContainer, out *printer) error {
	query := url.Values{"lines": {strconv.Itoa(c.Lines)}}
	for {
		piece, err := console.Get[apitypes.ContainerLog](a, path+"/log?"+query.Encode())
		if err != nil {
			return err
		}
		if err := out.print(v, piece); err != nil || !c.Follow || !piece.Running && len(piece.Lines) == 0 {
			return err
		}
		query = url.Values{"after": {cmp.Or(piece.Next, "1")}, "wait": {"10"}}
		if len(piece.Lines) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pauseEvery):
			}
		}
	}
}

// pauseEvery is how long to wait when there was nothing new.
const pauseEvery = 500 * time.Millisecond

// A printer prints lines of several containers.
type printer struct {
	mu   sync.Mutex
	s    *console.Session
	wide int // of labels; 0: none
}

func label(v apitypes.AppContainer) string {
	return fmt.Sprintf("%s %s %s %d", v.Host, cmp.Or(v.Colour, "stateful"), v.Service, v.Index)
}

func (p *printer) print(v apitypes.AppContainer, piece apitypes.ContainerLog) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if piece.Cut && !p.s.JSON {
		fmt.Fprintf(p.s.Err, "Earlier lines of %s are left out.\n", label(v))
	}
	for _, l := range piece.Lines {
		var err error
		switch {
		case p.s.JSON:
			err = p.s.Print(struct {
				Container string `json:"container"`
				apitypes.ContainerLine
			}{v.ID, l})
		case p.wide > 0:
			_, err = fmt.Fprintf(p.s.Out, "%-*s | %s\n", p.wide, label(v), l.Text)
		default:
			_, err = fmt.Fprintln(p.s.Out, l.Text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// contained is the argument of commands on one container.
type contained struct {
	placed
	Container string `arg:"" help:"Id of the container, or its name: apps ps lists them."`
}

type inspectCmd struct{ contained }

func (c *inspectCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "containers", c.Container)
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.ContainerDetails) error {
		facts := [][]string{{"container", v.ID + " " + v.Name}, {"image", v.Image}, {"state", strings.TrimSpace(v.State + " " + v.Health)}}
		add := func(name, text string) {
			if text != "" {
				facts = append(facts, []string{name, text})
			}
		}
		at := func(t *time.Time) string {
			if t == nil {
				return ""
			}
			return console.Time(t)
		}
		add("error", v.Error)
		add("created", at(v.Created))
		add("started", at(v.Started))
		add("finished", at(v.Finished))
		add("exit code", strconv.Itoa(v.ExitCode)+console.If(v.OutOfMemory, ", out of memory"))
		add("restarts", strconv.Itoa(v.Restarts)+console.If(v.Restart != "", ", policy "+v.Restart))
		add("runs", strings.Join(append(append([]string{}, v.Entrypoint...), v.Command...), " "))
		add("user", v.User)
		add("directory", v.Directory)
		add("variables", strings.Join(v.Variables, " "))
		add("ports", strings.Join(v.Ports, ", "))
		add("networks", strings.Join(v.Networks, ", "))
		add("mounts", strings.Join(v.Mounts, ", "))
		if v.Memory > 0 {
			add("memory", console.Size(v.Memory))
		}
		if v.CPUs > 0 {
			add("cpus", strconv.FormatFloat(v.CPUs, 'f', -1, 64))
		}
		for _, run := range v.Checks {
			add("check", fmt.Sprintf("%s exit code %d %s", run.Time.Format(time.DateTime), run.ExitCode, strings.TrimSpace(run.Output)))
		}
		return s.Facts(facts)
	})
}

type topCmd struct{ contained }

func (c *topCmd) Run(s *console.Session) error {
	a, path, err := c.open(s, "containers", c.Container, "processes")
	if err != nil {
		return err
	}
	return console.Send(a, "GET", path, nil, func(v apitypes.ContainerProcesses) error { return s.Table(v.Titles, v.Rows) })
}
