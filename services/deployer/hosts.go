package deployer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

const environmentPath = one + "/environments/{environment}"

func (s *Deployer) registerHosts() {
	openapi.Add(s.API, op(http.MethodGet, environmentPath+"/hosts", "get-app-hosts", access.NamespaceMember, budget.Read, "Show the hosts of an environment", ""), s.getHosts)
	openapi.Add(s.API, op(http.MethodPut, environmentPath+"/hosts", "set-app-hosts", access.NamespaceAdmin, budget.Write, "Set the hosts of an environment, by the roles of services",
		"Takes effect with the next deployment. Each host must be enrolled for the namespace."), s.setHosts)
	openapi.Add(s.API, op(http.MethodGet, environmentPath+"/policy", "get-deploy-policy", access.NamespaceMember, budget.Read, "Show the deployment policy of an environment", ""), s.getPolicy)
	openapi.Add(s.API, op(http.MethodPut, environmentPath+"/policy", "set-deploy-policy", access.NamespaceAdmin, budget.Write, "Set the deployment policy of an environment", "Takes effect with the next deployment. The settings for deployments on push take effect at once."), s.setPolicy)
}

func (s *Deployer) getHosts(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Answer[apitypes.AppHosts], error) {
	e, _, err := s.environment(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	p, err := s.Read.Placement(ctx, e.ID)
	return openapi.Show(placementView(p)), err
}

func placementView(p deploys.Setting[events.Placement]) apitypes.AppHosts {
	return apitypes.AppHosts{Web: namesOf(p.Value.Web), Worker: namesOf(p.Value.Worker), Stateful: namesOf(p.Value.Stateful), Changed: apitypes.Known(p.Time), ChangedBy: p.Actor, Seq: &p.Seq}
}

func policyView(p deploys.Setting[events.DeployPolicy]) apitypes.AppPolicy {
	return apitypes.AppPolicy{Policy: p.Value, Changed: apitypes.Known(p.Time), ChangedBy: p.Actor, Seq: p.Seq}
}

func namesOf(list []events.PlacedHost) (names []string) {
	for _, h := range list {
		names = append(names, h.Name)
	}
	return names
}

type setHostsIn struct {
	EnvironmentPath
	Body apitypes.AppHosts
}

func (s *Deployer) setHosts(ctx context.Context, c *endpoint.Call, in *setHostsIn) (*openapi.Change, error) {
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	known, err := s.People.Machines(ctx, events.MachineHost, time.Now())
	if err != nil {
		return nil, err
	}
	var p events.Placement
	for _, role := range []struct {
		field string
		names []string
		to    *[]events.PlacedHost
	}{{"web", in.Body.Web, &p.Web}, {"worker", in.Body.Worker, &p.Worker}, {"stateful", in.Body.Stateful, &p.Stateful}} {
		for _, name := range role.names {
			place := -1
			for k := range known {
				// Whoever may not run there learns nothing about the host.
				if known[k].Name == name && s.unfit(&known[k], e.Namespace) == "" {
					place = k
				}
			}
			if place < 0 {
				return nil, endpoint.Invalid("body."+role.field, fmt.Sprintf("there is no host %.80s that was enrolled for %s: an administrator of the hub enrolls it with hubledger hosts enroll", name, c.Namespace.Name))
			}
			h := events.PlacedHost{Machine: known[place].ID, Name: name}
			if !slices.Contains(*role.to, h) {
				*role.to = append(*role.to, h)
			}
		}
	}
	seq, err := deployment.SetPlacement(ctx, s.Log, c.By(), e, in.Body.Seq, p)
	return s.API.Changed(ctx, seq, endpoint.Located(err, "body", deployment.ErrInvalid))
}

func (s *Deployer) getPolicy(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Answer[apitypes.AppPolicy], error) {
	e, _, err := s.environment(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	p, err := s.Read.Policy(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	out := policyView(p)
	hooks, err := s.Read.Hooks(ctx, e.ID)
	for _, h := range hooks {
		out.Hooks = append(out.Hooks, h.Gate)
	}
	return openapi.Show(out), err
}

type setPolicyIn struct {
	EnvironmentPath
	Body apitypes.SetAppPolicyRequest
}

func (s *Deployer) setPolicy(ctx context.Context, c *endpoint.Call, in *setPolicyIn) (*openapi.Change, error) {
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	for _, d := range in.Body.OnPush {
		if r, err := s.Rights.Repository(ctx, c.Principal, d.Repository); err != nil || r.Repository == nil || r.Level < access.Read || r.Repository.Namespace != e.Namespace {
			if err != nil {
				return nil, err
			}
			return nil, endpoint.Invalid("body.onPush", fmt.Sprintf("%.200s is no repository of %s: only images of its own namespace deploy an application", d.Repository, c.Namespace.Name))
		}
	}
	seq, err := deployment.SetPolicy(ctx, s.Log, c.By(), e, in.Body.Seq, func(p *events.DeployPolicy) { *p = in.Body.DeployPolicy })
	return s.API.Changed(ctx, seq, endpoint.Located(err, deployment.Location(err), deployment.ErrInvalid))
}
