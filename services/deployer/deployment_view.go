package deployer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/deployment"
)

// deployment is one as the API shows it, with its hosts as they are seen now.
func (s *Deployer) deployment(ctx context.Context, id string) (apitypes.Deployment, error) {
	list, err := s.Read.Deployment(ctx, id)
	if err != nil {
		return apitypes.Deployment{}, err
	}
	state := folded(list)
	var w *deployment.Watch
	if !state.Step.Final() {
		seen := s.seen(ctx, state)
		w = &seen
	}
	return s.described(ctx, list, state, w), nil
}

// deploymentsOf are those of ids, in that order, as lists show them: without gates, logs and
// events. They are read at once.
func (s *Deployer) deploymentsOf(ctx context.Context, ids []string) ([]apitypes.Deployment, map[string]uint64, error) {
	steps, err := s.Read.StepsOf(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	shown, first := []apitypes.Deployment{}, map[string]uint64{}
	for _, id := range ids {
		list := steps[id]
		if len(list) == 0 {
			continue
		}
		if p, ok := list[0].Payload.(events.DeploymentRequested); ok { // without its gates, whose verdicts are not read
			p.Policy.Gates = nil
			list[0].Payload = p
		}
		one := s.described(ctx, list, folded(list), nil)
		one.History, one.Log, one.HealthLog = nil, "", ""
		first[id] = list[0].Seq
		shown = append(shown, one)
	}
	return shown, first, nil
}

// described is a deployment by its events and its state; with a watch its hosts, what it waits for,
// and what a person may do.
func (s *Deployer) described(ctx context.Context, list []deploys.Happening, state deployment.State, w *deployment.Watch) apitypes.Deployment {
	r := state.Request
	out := apitypes.Deployment{ID: r.Deployment, Application: r.Name, Environment: r.Called, Kind: r.Kind, Release: r.Release, Colour: r.Colour, Step: string(state.Step), Outcome: state.Outcome, Share: state.Sides[r.Colour].Share,
		Two: r.Policy.Two, Final: state.Step.Final(), By: state.By, Note: r.Note, Requested: apitypes.Known(list[0].Time), Seq: state.Seq}
	if state.Replaces() {
		for _, b := range r.Before {
			if b.Colour == state.Out() {
				out.Replaces = b.Release
			}
		}
	}
	for _, g := range r.Policy.Gates {
		v := state.Gates[g.Name]
		shown := apitypes.DeploymentGate{Name: g.Name, Kind: g.Kind, Verdict: cmp.Or(v.Verdict, "none"), Reason: v.Reason, Manual: v.Manual, Seq: v.Seq}
		for _, h := range list {
			if h.Seq == v.Seq {
				shown.Since = apitypes.Known(h.Time)
			}
		}
		if w != nil && !v.Manual {
			var at time.Time
			shown.Measured, at = s.streaks.latest(state, g.Name)
			shown.MeasuredAt = apitypes.Known(at)
		}
		out.Gates = append(out.Gates, shown)
	}
	for _, h := range list {
		out.History = append(out.History, apitypes.DeploymentChange{Seq: h.Seq, Time: apitypes.Known(h.Time), By: h.Actor, Type: h.Payload.EventType(), What: briefly(h)})
		switch p := h.Payload.(type) {
		case events.DeploymentRefused:
			out.Reasons = p.Reasons
		case events.DeploymentFailed:
			out.Reasons, out.Log, out.HealthLog = []string{failure(p)}, p.Log, p.HealthLog
		case events.DeploymentPromoted:
			out.PromotedBy = h.Actor
		}
	}
	if out.Final || w == nil {
		return out
	}
	out.Waits, out.Can = waits(state, *w), can(state, *w)
	out.Hosts = hostsOf(state, *w)
	return out
}

func failure(p events.DeploymentFailed) string {
	text := p.Host.Name + ": "
	if p.Service != "" {
		text += p.Service + ": "
	}
	text += p.Reason
	if p.ExitCode != 0 {
		text += fmt.Sprintf(" (exit code %d)", p.ExitCode)
	}
	return text
}

// waits is what a deployment waits for, for people.
func waits(state deployment.State, w deployment.Watch) string {
	hosts, why := state.Waits(w)
	on := hostNames(hosts)
	if why != "" {
		on += ": " + why
	}
	late := ""
	if state.Overdue != nil {
		late = ", longer than it should; wait, exclude the host, or go back"
	}
	for step, text := range map[deployment.Step]string{deployment.Pulling: "the images on ", deployment.Starting: "healthy containers on ", deployment.Ready: "healthy containers on ", deployment.Returning: "the previous release on ",
		deployment.Draining: "the end of the sessions on ", deployment.Leaving: "the end of the sessions on "} {
		if step == state.Step && len(hosts) > 0 {
			return text + on + late
		}
	}
	if state.Step != deployment.Shifting && state.Step != deployment.Held {
		return ""
	}
	sick := ""
	if len(hosts) > 0 {
		sick = cmp.Or(state.In(), "it") + " to be healthy on " + on + "; "
	}
	open := state.Open()
	switch {
	case len(open) > 0:
		return sick + "the gates " + some(open)
	case state.Step == deployment.Shifting:
		return sick + "the next step"
	case state.Request.Policy.Automatic > 0:
		return sick + fmt.Sprintf("its promotion, once the gates have passed for %d seconds", state.Request.Policy.Automatic)
	}
	return sick + "a person who promotes it or goes back"
}

// can is what a person may do.
func can(state deployment.State, w deployment.Watch) (list []string) {
	if _, err := deployment.Promote(state, w, "why"); err == nil && state.Step != deployment.Draining {
		list = append(list, "promote")
	}
	if p, err := deployment.RollBack(state, ""); err == nil && p != nil {
		list = append(list, "rollback", "cancel")
	}
	if hosts, _ := state.Waits(w); len(hosts) > 0 {
		list = append(list, "exclude-host")
	}
	return list
}

func hostsOf(state deployment.State, w deployment.Watch) (list []apitypes.DeploymentHost) {
	var all []events.PlacedHost
	for _, colour := range []string{state.In(), state.Out(), ""} {
		for _, h := range slices.Concat(deployment.Hosts(state.Sides[colour].Placement), state.Excluded) {
			if !slices.Contains(all, h) {
				all = append(all, h)
			}
		}
	}
	slices.SortFunc(all, func(a, b events.PlacedHost) int { return strings.Compare(a.Name, b.Name) })
	for _, h := range all {
		o, heard := w.Hosts[h.Machine]
		out := apitypes.DeploymentHost{Name: h.Name, Grey: !heard, Excluded: slices.Contains(state.Excluded, h), Error: o.Engine.Error}
		if w.Revoked[h.Machine] {
			out.Error = "it was revoked, and does not come back: exclude it"
		}
		for _, p := range deployment.Plans(state, h.Machine) {
			if p.Gone {
				continue
			}
			side := apitypes.DeploymentSide{Colour: p.Colour, Release: p.Release, Wanted: string(p.Phase), Sessions: -1}
			for _, seen := range o.Slots {
				if seen.ID == deployment.SlotID(state.Of.Environment, p.Colour) && seen.Deployment == p.Deployment {
					side.Reached, side.Healthy, side.Drained, side.Sessions, side.Error = string(seen.Phase), seen.Healthy, seen.Drained, seen.Sessions, seen.Error
					for _, i := range seen.Images {
						side.Pulled, side.ToPull = side.Pulled+i.Bytes, side.ToPull+i.Total
					}
					for _, c := range seen.Containers {
						if c.State == "running" {
							side.Running++
						}
					}
				}
			}
			out.Sides = append(out.Sides, side)
		}
		list = append(list, out)
	}
	return list
}

// rolesOf are the roles of the services of a release; none when it cannot run any more, as
// its configuration was destroyed.
func (s *Deployer) rolesOf(ctx context.Context, environment string, release int) map[string]compose.Role {
	roles := map[string]compose.Role{}
	place, err := s.Read.Place(ctx, environment)
	if err != nil {
		return roles
	}
	if what, err := s.contents(ctx, place, release); err == nil {
		for _, of := range what.app.Services {
			roles[of.Name] = of.Role
		}
	}
	return roles
}

// briefly says what an event of a deployment is.
func briefly(h deploys.Happening) string {
	switch p := h.Payload.(type) {
	case events.DeploymentRequested:
		return fmt.Sprintf("release %d, in %s", p.Release, p.Colour)
	case events.DeploymentRefused:
		return strings.Join(p.Reasons, "; ")
	case events.DeploymentHealthy:
		return p.Colour + " is healthy on all hosts"
	case events.DeploymentShifted:
		if p.Held {
			return fmt.Sprintf("%d %% of the traffic, held", p.Share)
		}
		return fmt.Sprintf("%d %% of the traffic", p.Share)
	case events.DeploymentGateChanged:
		return strings.TrimSuffix(p.Gate+": "+p.Verdict+": "+p.Reason, ": ")
	case events.DeploymentPromoted:
		return p.Reason
	case events.DeploymentRolledBack:
		return p.Reason
	case events.DeploymentCancelled:
		return p.Reason
	case events.DeploymentFailed:
		return failure(p)
	case events.DeploymentHostExcluded:
		return strings.TrimSuffix(p.Host.Name+": "+p.Reason, ": ")
	case events.DeploymentOverdue:
		return strings.TrimSuffix(p.Step+" on "+hostNames(p.Hosts)+": "+p.Why, ": ")
	case events.DeploymentFinished:
		return strings.ReplaceAll(p.Outcome, "_", " ")
	case events.DeploymentTornDown:
		return fmt.Sprintf("%s, with release %d", p.Colour, p.Release)
	}
	return ""
}
