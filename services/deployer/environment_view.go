package deployer

import (
	"context"

	"hubledger/projections/deploys"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/openapi"
)

// getEnvironment is all that is told of an environment, as of one state of it.
func (s *Deployer) getEnvironment(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Answer[apitypes.EnvironmentDetails], error) {
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	e, _, err := s.environment(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	list, err := s.Read.Since(ctx, e.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	known := knownOf(list)
	out := apitypes.EnvironmentDetails{Application: a.Name, Latest: a.Latest,
		Environment: apitypes.AppEnvironment{Name: e.Name, Version: e.Configuration.Version, Created: apitypes.Known(e.Created), CreatedBy: e.Actor, Now: nowOf(known)}}
	if out.Running, err = s.runningState(ctx, c, a, known.State); err != nil {
		return nil, err
	}
	w := s.seen(ctx, known.State)
	if known.State.Of.Deployment != "" {
		d := s.described(ctx, list, known.State, &w)
		out.Deployment = &d
	}
	out.Hosts = hostsOf(known.State, w)
	placement, err := s.Read.Placement(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	policy, err := s.Read.Policy(ctx, e.ID)
	out.Placement, out.Policy = placementView(placement), policyView(policy)
	return openapi.Show(out), err
}

// seen is what is seen of the hosts of an environment, for people.
func (s *Deployer) seen(ctx context.Context, state deployment.State) deployment.Watch {
	w, err := s.masked(ctx, state, s.look(ctx, state))
	if err != nil {
		s.Logger.Warn("what hosts say of a deployment cannot be shown", "deployment", state.Of.Deployment, "error", err)
	}
	return w
}

// runningState is what runs where by a state.
func (s *Deployer) runningState(ctx context.Context, c *endpoint.Call, a *deploys.Application, state deployment.State) (apitypes.RunningState, error) {
	out := apitypes.RunningState{Deployment: state.Of.Deployment, Step: string(state.Step), Seq: state.Seq, Sides: []apitypes.RunningSide{}}
	v := s.viewOf(c, a)
	for _, colour := range []string{hosting.Blue, hosting.Green, ""} {
		side := state.Sides[colour]
		if side.Fence == 0 || side.Phase == deployment.Gone {
			continue
		}
		shown := apitypes.RunningSide{Colour: colour, Release: side.Release, Deployment: side.Deployment, Phase: string(side.Phase), Share: side.Share, Seq: side.Began, Hosts: append([]string{}, namesOf(deployment.Hosts(side.Placement))...), Images: []apitypes.ReleaseImage{}}
		r, err := s.Read.Release(ctx, a.ID, side.Release)
		if err != nil {
			return out, err
		}
		release, err := v.release(ctx, r)
		if err != nil {
			return out, err
		}
		roles := s.rolesOf(ctx, state.Of.Environment, side.Release)
		for _, i := range release.Images {
			if role, known := roles[i.Service]; known && role.Coloured() != (colour != "") {
				continue
			}
			shown.Images = append(shown.Images, i)
		}
		out.Sides = append(out.Sides, shown)
	}
	return out, nil
}
