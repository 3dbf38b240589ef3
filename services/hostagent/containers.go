package hostagent

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/openapi"
)

// PlacePath names an environment.
type PlacePath struct {
	Namespace   string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	App         string `path:"app" maxLength:"40" doc:"Name of the application"`
	Environment string `path:"environment" maxLength:"40" doc:"Name of the environment, such as production"`
}

// ContainerPath names a container of an environment.
type ContainerPath struct {
	PlacePath
	Container string `path:"container" maxLength:"64" doc:"Id of the container, in full or by its first twelve digits, or its name where one host has it"`
}

func (s *Hosts) registerContainers() {
	const list = "/apps/{namespace}/{app}/environments/{environment}/containers"
	const one = list + "/{container}"
	op := func(path, id string, cost budget.Cost, summary, about string) openapi.Operation {
		return openapi.Operation{Method: http.MethodGet, Path: path, ID: id, Tag: tag, Permission: access.NamespaceWriter, Cost: cost, Summary: summary, About: about}
	}
	const asks = "The hub asks the container's host."
	openapi.Add(s.API, op(list, "list-containers", budget.Search, "List the containers of an environment, as reported by its hosts", ""), s.listContainers)
	openapi.Add(s.API, op(one, "inspect-container", budget.Transfer, "Show the settings and the state of a container", asks+" Values of environment variables are not shown."), s.inspectContainer)
	openapi.Add(s.API, op(one+"/processes", "list-processes", budget.Transfer, "List the processes of a container", asks), s.listProcesses)
	openapi.Add(s.API, op(one+"/log", "get-container-log", budget.Transfer, "Show the last lines of a container's output, or the lines after a given one", asks+" Secrets are masked. At most 2,000 lines of 4 KiB, and 256 KiB in all."), s.containerLog)
	openapi.AddEvents(s.API, op(one+"/log/live", "follow-container-log", budget.Transfer, "Follow a container's output",
		"The events are `log`, with one line each, and `end` when the container has ended: close the connection then. The stream ends after five minutes: reconnect with Last-Event-ID, as browsers do."), s.liveContainerLog)
}

// placed are the containers of an environment, for who may deploy there.
func (s *Hosts) placed(ctx context.Context, c *endpoint.Call, in PlacePath) (hosting.Placed, error) {
	if s.Applications == nil {
		return hosting.Placed{}, endpoint.Fail(http.StatusConflict, "this node has no applications: ask one that runs the service deployer")
	}
	p, err := s.Applications.Placed(ctx, c.Namespace.Name, in.App, in.Environment)
	if err == nil && p.Owners && c.Level < access.Admin {
		err = endpoint.Fail(http.StatusForbidden, "only owners of the namespace deploy here, and look at containers: its policy says so")
	}
	return p, err
}

// container is the one that a path names.
func (s *Hosts) container(ctx context.Context, c *endpoint.Call, in ContainerPath) (hosting.Placed, hosting.PlacedContainer, error) {
	p, err := s.placed(ctx, c, in.PlacePath)
	if err != nil {
		return p, hosting.PlacedContainer{}, err
	}
	var named []hosting.PlacedContainer
	for _, one := range p.Containers {
		if len(in.Container) >= 12 && in.Container[:12] == one.ID {
			return p, one, nil
		}
		if in.Container == nameOf(one) {
			named = append(named, one)
		}
	}
	switch len(named) {
	case 0:
	case 1:
		return p, named[0], nil
	default: // containers are called alike on all hosts
		return p, hosting.PlacedContainer{}, endpoint.Fail(http.StatusConflict, fmt.Sprintf("%d hosts have a container of that name: give its id, of hubledger apps ps", len(named)))
	}
	return p, hosting.PlacedContainer{}, fmt.Errorf("the container %.64s: %w", in.Container, application.ErrUnknown)
}

// nameOf is what a host calls a container.
func nameOf(c hosting.PlacedContainer) string {
	return c.Slot + "-" + c.Service + "-" + strconv.Itoa(c.Index)
}

func (s *Hosts) listContainers(ctx context.Context, c *endpoint.Call, in *PlacePath) (*openapi.List[apitypes.AppContainer], error) {
	p, err := s.placed(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	list := []apitypes.AppContainer{}
	for _, one := range p.Containers {
		list = append(list, apitypes.AppContainer{ID: one.ID, Name: nameOf(one), Host: one.Host, Service: one.Service, Colour: one.Colour, Release: one.Release, Index: one.Index,
			State: one.State, Health: one.Health, Started: apitypes.Known(one.Started), ExitCode: one.ExitCode, Restarts: one.Restarts})
	}
	slices.SortFunc(list, func(a, b apitypes.AppContainer) int {
		return cmp.Or(cmp.Compare(a.Colour, b.Colour), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Index, b.Index))
	})
	return openapi.WholeList(list), nil
}

// Look has a host look at one of its containers. hosting.ErrAway, hosting.ErrLooks.
func (s *Hosts) Look(ctx context.Context, machine string, q hosting.Look) (hosting.Sight, error) {
	return s.looks.ask(ctx, machine, q)
}

// look has the host of a container look at it, and masks the secrets of the environment in what it
// says.
func (s *Hosts) look(ctx context.Context, p hosting.Placed, of hosting.PlacedContainer, q hosting.Look) (hosting.Sight, error) {
	q.Slot, q.Container = of.Slot, of.ID
	sight, err := s.Look(ctx, of.Machine, q)
	if err != nil {
		return sight, fmt.Errorf("%s: %w", of.Host, err)
	}
	if sight.Error != "" {
		return sight, endpoint.Fail(http.StatusConflict, of.Host+": "+p.Mask.String(sight.Error))
	}
	maskSight(&sight, p.Mask)
	return sight, nil
}

func (s *Hosts) inspectContainer(ctx context.Context, c *endpoint.Call, in *ContainerPath) (*openapi.Answer[apitypes.ContainerDetails], error) {
	p, of, err := s.container(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	sight, err := s.look(ctx, p, of, hosting.Look{Kind: hosting.LookInspect})
	if err == nil && sight.Inspect == nil {
		err = fmt.Errorf("%s: %w", of.Host, hosting.ErrAway)
	}
	if err != nil {
		return nil, err
	}
	i := sight.Inspect
	out := apitypes.ContainerDetails{ID: i.ID, Name: i.Name, Image: i.Image, State: i.State, Error: i.Error, Health: i.Health, Created: apitypes.Known(i.Created), Started: apitypes.Known(i.Started), Finished: apitypes.Known(i.Finished),
		ExitCode: i.ExitCode, Restarts: i.Restarts, OutOfMemory: i.OutOfMem, Entrypoint: i.Entrypoint, Command: i.Command, User: i.User, Directory: i.Directory, Variables: i.Variables, Ports: i.Ports, Networks: i.Networks,
		Mounts: i.Mounts, Memory: i.Memory, CPUs: i.CPUs, PIDs: i.PIDs, ReadOnly: i.ReadOnly, Restart: i.Restart, StopSignal: i.StopSignal, StopGrace: i.StopGrace}
	for _, run := range i.Checks {
		out.Checks = append(out.Checks, apitypes.ContainerCheck{Time: run.At, ExitCode: run.ExitCode, Output: run.Output})
	}
	return openapi.Show(out), nil
}

func (s *Hosts) listProcesses(ctx context.Context, c *endpoint.Call, in *ContainerPath) (*openapi.Answer[apitypes.ContainerProcesses], error) {
	p, of, err := s.container(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	sight, err := s.look(ctx, p, of, hosting.Look{Kind: hosting.LookTop})
	if err == nil && sight.Top == nil {
		err = fmt.Errorf("%s: %w", of.Host, hosting.ErrAway)
	}
	if err != nil {
		return nil, err
	}
	out := apitypes.ContainerProcesses{Titles: append([]string{}, sight.Top.Titles...), Rows: sight.Top.Rows, Cut: sight.Top.Cut}
	if out.Rows == nil {
		out.Rows = [][]string{}
	}
	return openapi.Show(out), nil
}

type containerLogIn struct {
	ContainerPath
	Lines int   `query:"lines" minimum:"1" maximum:"2000" default:"200" doc:"How many of the last lines"`
	After int64 `query:"after" minimum:"0" doc:"Those behind the next of an answer before, instead"`
	Wait  int   `query:"wait" minimum:"0" maximum:"10" doc:"Seconds to wait for the first of those behind"`
}

func (s *Hosts) containerLog(ctx context.Context, c *endpoint.Call, in *containerLogIn) (*openapi.Answer[apitypes.ContainerLog], error) {
	p, of, err := s.container(ctx, c, in.ContainerPath)
	if err != nil {
		return nil, err
	}
	sight, err := s.look(ctx, p, of, hosting.Look{Kind: hosting.LookLogs, Lines: in.Lines, After: in.After, Wait: time.Duration(in.Wait) * time.Second})
	if err != nil {
		return nil, err
	}
	out := apitypes.ContainerLog{Lines: []apitypes.ContainerLine{}, Cut: sight.Cut, Running: sight.Running}
	next := in.After
	for _, l := range sight.Lines {
		out.Lines, next = append(out.Lines, lineView(l)), max(next, l.At)
	}
	if next > 0 {
		out.Next = strconv.FormatInt(next, 10)
	}
	return openapi.Show(out), nil
}

func lineView(l hosting.LogLine) apitypes.ContainerLine {
	return apitypes.ContainerLine{Time: time.Unix(0, l.At).UTC(), Stream: map[bool]string{false: "stdout", true: "stderr"}[l.Err], Text: l.Text, Cut: l.Cut}
}

type liveContainerLogIn struct {
	ContainerPath
	LastEventID int64 `header:"Last-Event-ID" minimum:"0" doc:"Id of the last event that the client has: go on behind it"`
	After       int64 `query:"after" minimum:"0" doc:"The same for the first request, of which a browser sets no headers"`
	Lines       int   `query:"lines" minimum:"1" maximum:"2000" default:"200" doc:"With neither: how many of the last lines come first"`
}

// followEvery is how long to wait for a host that has no new line.
const followEvery = time.Second

func (s *Hosts) liveContainerLog(ctx context.Context, c *endpoint.Call, in *liveContainerLogIn) (func(context.Context, *openapi.Events) error, error) {
	if _, _, err := s.container(ctx, c, in.ContainerPath); err != nil {
		return nil, err
	}
	after := max(in.LastEventID, in.After)
	return func(ctx context.Context, to *openapi.Events) error {
		for {
			// It is looked anew each time: who may see it, where it is, and what is to be masked.
			p, of, err := s.container(ctx, c, in.ContainerPath)
			if err != nil {
				return to.Send(0, "end", apitypes.ContainerLog{Lines: []apitypes.ContainerLine{}})
			}
			sight, err := s.look(ctx, p, of, hosting.Look{Kind: hosting.LookLogs, Lines: in.Lines, After: after, Wait: hosting.MaxWait})
			if err != nil {
				return err // clients come back
			}
			for _, l := range sight.Lines {
				after = max(after, l.At)
				if err := to.Send(uint64(after), "log", lineView(l)); err != nil {
					return err
				}
			}
			if !sight.Running && len(sight.Lines) == 0 {
				return to.Send(0, "end", apitypes.ContainerLog{Lines: []apitypes.ContainerLine{}})
			}
			if len(sight.Lines) == 0 { // also where a host says so at once, over and over
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(followEvery):
				}
			}
			if after == 0 { // nothing was written yet: there is no time behind which to wait
				after = 1
			}
			if err := to.Alive(); err != nil {
				return err
			}
		}
	}, nil
}
