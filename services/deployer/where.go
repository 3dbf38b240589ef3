package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/deploys"
	"hubledger/services/deployer/fleet"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/openapi"
)

// maxUsers bounds how many applications are looked through for where a repository runs.
const maxUsers = 50

func (s *Deployer) registerWhere() {
	openapi.Add(s.API, op(http.MethodGet, "/repositories/{namespace}/{name}/running", "list-running", access.RepositoryRead, budget.Search, "Show where images of a repository run",
		"Lists environments of applications that you may see, and shows what the hosts were told to run."), s.runsWhere)
	openapi.Add(s.API, op(http.MethodGet, "/running", "list-ran", access.SignedIn, budget.Search, "Show what runs or ran where",
		"Covers the environments of all applications that you may see, including deleted ones, or one host. A page looks at a bounded number of environments and lists those in which something ran."), s.ranWhere)
	openapi.Add(s.API, op(http.MethodGet, "/namespaces/{namespace}/hosts", "list-namespace-hosts", access.NamespaceMember, budget.List, "List the hosts that applications of a namespace may run on", ""), s.namespaceHosts)
	openapi.Add(s.API, op(http.MethodGet, "/hosts/{host}/containers", "list-host-containers", access.HubAdmin, budget.Search, "List the containers of a host, as last reported", ""), s.hostContainers)
}

// ranWhere is what ran where in the whole hub, as far as the caller may see it, or on one host.
// A page looks at so many environments, and has those of them in which something ran.
func (s *Deployer) ranWhere(ctx context.Context, c *endpoint.Call, in *struct {
	openapi.Paging
	AsOf string `query:"as_of" maxLength:"40" doc:"A time such as 2026-11-30T12:00:00Z, or the sequence of an event such as s12345; absent for now"`
	Host string `query:"host" maxLength:"63" doc:"Name of a host: only what it was told to run"`
}) (*openapi.List[apitypes.RunningEnvironment], error) {
	after, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	at, err := s.pointOf(ctx, in.AsOf, "query.as_of")
	if err != nil {
		return nil, err
	}
	ids, everything, err := s.sees(ctx, c)
	if err != nil || len(ids) == 0 && !everything {
		return openapi.WholeList[apitypes.RunningEnvironment](nil), err
	}
	if everything {
		ids = nil
	}
	command.CatchUp(ctx, s.Log, s.View)
	list, err := s.Read.EnvironmentsThen(ctx, ids, in.Host, after, at.Time, at.Seq, in.Limit+1)
	if err != nil {
		return nil, err
	}
	var out []apitypes.RunningEnvironment
	for _, e := range list[:min(len(list), in.Limit)] {
		happened, err := s.Read.AsOf(ctx, e.ID, at.Time, at.Seq)
		if err != nil {
			return nil, err
		}
		state, err := s.runningState(ctx, c, &e.Application, folded(happened))
		if err != nil {
			return nil, err
		}
		if in.Host != "" {
			state.Sides = slices.DeleteFunc(state.Sides, func(side apitypes.RunningSide) bool { return !slices.Contains(side.Hosts, in.Host) })
		}
		if len(state.Sides) > 0 {
			out = append(out, apitypes.RunningEnvironment{Application: e.Application.Name, Environment: e.Name, RunningState: state})
		}
	}
	page := openapi.WholeList(out)
	if len(list) > in.Limit {
		page.Continue(c, openapi.CursorAt(list[in.Limit-1].ID))
	}
	return page, nil
}

// pointOf is the point in time that a parameter names, now without one.
func (s *Deployer) pointOf(ctx context.Context, text, parameter string) (asof.Point, error) {
	if text == "" {
		return asof.Point{Time: time.Now()}, nil
	}
	at, err := asof.Parse(text)
	if err != nil {
		return at, endpoint.Located(err, parameter, asof.ErrPoint)
	}
	end, err := s.Log.LastSeq(ctx)
	if err != nil {
		return at, err
	}
	return at, endpoint.Located(at.Past(end), parameter, asof.ErrFuture)
}

func (s *Deployer) runsWhere(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.List[apitypes.RunningImage], error) {
	ids, everything, err := s.sees(ctx, c)
	if err != nil || len(ids) == 0 && !everything {
		return openapi.WholeList[apitypes.RunningImage](nil), err
	}
	if everything {
		ids = nil
	}
	users, err := s.Read.UsersOf(ctx, c.Repository.ID, ids, maxUsers)
	if err != nil || len(users) == 0 {
		return openapi.WholeList[apitypes.RunningImage](nil), err
	}
	environments, err := s.Read.EnvironmentsNow(ctx, users)
	if err != nil {
		return nil, err
	}
	seqs := map[string]uint64{}
	for _, e := range environments {
		seqs[e.ID] = e.Seq
	}
	known, err := s.states.many(ctx, s, seqs)
	if err != nil {
		return nil, err
	}
	var wanted []deploys.ReleaseID
	for _, e := range environments {
		for _, side := range known[e.ID].State.Sides {
			if side.Fence > 0 && side.Phase == hosting.Run {
				wanted = append(wanted, deploys.ReleaseID{Application: e.Application, Number: side.Release})
			}
		}
	}
	releases, err := s.Read.ReleasesOf(ctx, wanted)
	if err != nil {
		return nil, err
	}
	out := []apitypes.RunningImage{}
	for _, e := range environments {
		state := known[e.ID].State
		for _, colour := range []string{hosting.Blue, hosting.Green} {
			side := state.Sides[colour]
			r := releases[deploys.ReleaseID{Application: e.Application, Number: side.Release}]
			if side.Fence == 0 || side.Phase != hosting.Run || r == nil {
				continue
			}
			for _, i := range r.Images {
				if i.Repository == c.Repository.ID {
					out = append(out, apitypes.RunningImage{Application: state.Of.Name, Environment: e.Name, Colour: colour, Release: side.Release, Share: side.Share, Service: i.Service, Tag: i.Tag, Digest: i.Digest, Hosts: len(deployment.Hosts(side.Placement))})
				}
			}
		}
	}
	return openapi.WholeList(out), nil
}

// Placed is of hosting.Applications.
func (s *Deployer) Placed(ctx context.Context, namespace, app, environment string) (hosting.Placed, error) {
	var out hosting.Placed
	a, _, err := s.app(ctx, namespace, app)
	if err != nil {
		return out, err
	}
	list, err := s.Read.Environments(ctx, a.ID)
	if err != nil {
		return out, err
	}
	k := slices.IndexFunc(list, func(e deploys.Environment) bool { return e.Name == environment })
	if k < 0 {
		return out, fmt.Errorf("environment %.40s of %s: %w", environment, a.Name, application.ErrUnknown)
	}
	policy, err := s.Read.Policy(ctx, list[k].ID)
	if err != nil {
		return out, err
	}
	state, err := s.state(ctx, list[k].ID)
	if err != nil {
		return out, err
	}
	if out.Mask, err = s.secretsOf(ctx, state); err != nil {
		return out, err
	}
	out.Owners = policy.Value.Owners
	for machine, o := range s.look(ctx, state).Hosts {
		for _, p := range deployment.Plans(state, machine) {
			slot := deployment.SlotID(state.Of.Environment, p.Colour)
			for _, seen := range o.Slots {
				if p.Gone || seen.ID != slot {
					continue
				}
				for _, c := range seen.Containers {
					c.Service = out.Mask.String(c.Service)
					out.Containers = append(out.Containers, hosting.PlacedContainer{Machine: machine, Host: nameIn(state, machine), Slot: slot, Colour: p.Colour, Release: p.Release, SeenContainer: c})
				}
			}
		}
	}
	return out, nil
}

// nameIn is what an environment calls a host.
func nameIn(state deployment.State, machine string) string {
	for _, side := range state.Sides {
		for _, h := range deployment.Hosts(side.Placement) {
			if h.Machine == machine {
				return h.Name
			}
		}
	}
	return machine
}

// EventOf is the id of the event that asked for the deployment with that id, or for the one that
// brought the container with that id, as hosts have reported it, or name; "" for none.
func (s *Deployer) EventOf(ctx context.Context, what string) (string, error) {
	id := what
	if slot, _, _ := strings.Cut(what[min(len(what), idLength+1):], "-"); len(what) > idLength && slot != "" && strings.Contains(what, "-") {
		state, err := s.state(ctx, what[:idLength])
		if err != nil {
			return "", err
		}
		id = state.Sides[strings.TrimPrefix(slot, "base")].Deployment
	} else if !strings.Contains(what, "-") {
		id = s.fleet.DeploymentOf(what)
	}
	if id == "" {
		return "", nil
	}
	list, err := s.Read.Deployment(ctx, id)
	if errors.Is(err, deploys.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return list[0].ID, nil
}

const idLength = 36 // of a UUID as a text

func (s *Deployer) namespaceHosts(ctx context.Context, c *endpoint.Call, _ *struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
}) (*openapi.List[apitypes.Host], error) {
	known, err := s.People.Machines(ctx, events.MachineHost, time.Now())
	if err != nil {
		return nil, err
	}
	out := []apitypes.Host{}
	for k := range known {
		if m := &known[k]; s.unfit(m, c.Namespace.ID) == "" {
			out = append(out, s.heardOf(m))
		}
	}
	return openapi.WholeList(out), nil
}

// heardOf is a host by what it said last.
func (s *Deployer) heardOf(m *accounts.Machine) apitypes.Host {
	h := apitypes.Host{Name: m.Name, State: "away", Since: m.Since}
	if ago, o, heard := s.fleet.Heard(m.ID); heard {
		at := time.Now().Add(-ago).UTC()
		h.Seen, h.Engine, h.EngineError, h.Free = &at, o.Engine.Version, o.Engine.Error, o.Engine.Free
		if ago < fleet.Silence {
			h.State = "connected"
		}
	}
	return h
}

func (s *Deployer) hostContainers(ctx context.Context, _ *endpoint.Call, in *struct {
	Host string `path:"host" maxLength:"63" doc:"Name of the host"`
}) (*openapi.Answer[apitypes.HostContainers], error) {
	known, err := s.People.Machines(ctx, events.MachineHost, time.Now())
	if err != nil {
		return nil, err
	}
	for k := range known {
		if m := &known[k]; m.Name == in.Host && m.State == accounts.MachineEnrolled {
			out, err := s.containersOf(ctx, m)
			return openapi.Show(out), err
		}
	}
	return nil, fmt.Errorf("the host %.63s: %w", in.Host, application.ErrUnknown)
}

// containersOf are those of a host as it said last, by what it is to have.
func (s *Deployer) containersOf(ctx context.Context, m *accounts.Machine) (apitypes.HostContainers, error) {
	h := s.heardOf(m)
	out := apitypes.HostContainers{Name: m.Name, State: h.State, Seen: h.Seen, Slots: []apitypes.HostSlot{}}
	latest, err := s.Read.LatestOn(ctx, m.ID)
	if err != nil {
		return out, err
	}
	states, err := s.states.many(ctx, s, latest)
	if err != nil {
		return out, err
	}
	_, o, _ := s.fleet.Heard(m.ID)
	for environment, one := range states {
		var plans []deployment.Plan
		for _, p := range deployment.Plans(one.State, m.ID) {
			if !p.Gone {
				plans = append(plans, p)
			}
		}
		if len(plans) == 0 {
			continue
		}
		if lives, err := s.lives(ctx, environment); err != nil || !lives {
			if err != nil {
				return out, err
			}
			continue
		}
		w, err := s.masked(ctx, one.State, deployment.Watch{Hosts: map[string]hosting.Observation{m.ID: o}})
		if err != nil {
			s.Logger.Warn("what a host says cannot be shown", "host", m.Name, "error", err)
		}
		for _, p := range plans {
			out.Slots = append(out.Slots, slotView(one.State, p, w.Hosts[m.ID]))
		}
	}
	slices.SortFunc(out.Slots, func(a, b apitypes.HostSlot) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Colour, b.Colour))
	})
	return out, nil
}

func slotView(state deployment.State, p deployment.Plan, o hosting.Observation) apitypes.HostSlot {
	out := apitypes.HostSlot{Application: state.Of.Name, Environment: state.Of.Called, DeploymentSide: apitypes.DeploymentSide{Colour: p.Colour, Release: p.Release, Wanted: string(p.Phase), Sessions: -1}, Containers: []apitypes.HostContainer{}}
	for _, seen := range o.Slots {
		if seen.ID != deployment.SlotID(state.Of.Environment, p.Colour) {
			continue
		}
		out.Reached, out.Healthy, out.Drained, out.Sessions, out.Error = string(seen.Phase), seen.Healthy, seen.Drained, seen.Sessions, seen.Error
		for _, c := range seen.Containers {
			if c.State == "running" {
				out.Running++
			}
			out.Containers = append(out.Containers, apitypes.HostContainer{Service: c.Service, Index: c.Index, State: c.State, Health: c.Health, Started: apitypes.Known(c.Started), ExitCode: c.ExitCode, Restarts: c.Restarts})
		}
	}
	return out
}
