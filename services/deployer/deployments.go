package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// DeploymentPath names a deployment.
type DeploymentPath struct {
	AppPath
	Deployment string `path:"deployment" maxLength:"36" doc:"Id of the deployment"`
}

type actionIn struct {
	DeploymentPath
	Body apitypes.DeploymentAction
}

func (s *Deployer) registerDeployments() {
	const list, of = one + "/deployments", one + "/deployments/{deployment}"
	openapi.Add(s.API, op(http.MethodPost, environmentPath+"/deployments", "deploy", access.NamespaceWriter, budget.Write, "Deploy a release",
		"An environment has at most one deployment at a time; a refusal says whose it is. All obstacles are reported at once."), s.deploy)
	openapi.Add(s.API, op(http.MethodGet, environmentPath+"/running", "get-running", access.NamespaceMember, budget.Search, "Show what runs where, now or at an earlier time", "Shows what the hosts were told to run."), s.running)
	openapi.Add(s.API, op(http.MethodGet, list, "list-deployments", access.NamespaceMember, budget.Search, "List the deployments of an application, the latest first", ""), s.listDeployments)
	openapi.Add(s.API, op(http.MethodGet, of, "get-deployment", access.NamespaceMember, budget.Search, "Show a deployment, with the current state of its hosts", ""), s.getDeployment)
	openapi.Add(s.API, op(http.MethodPost, of+"/promote", "promote", access.NamespaceWriter, budget.Write, "Give the new release all traffic", "The release must be healthy on all hosts. A reason is required if gates have not passed."), s.promote)
	openapi.Add(s.API, op(http.MethodPost, of+"/rollback", "roll-back", access.NamespaceWriter, budget.Write, "Go back to the previous release", "Takes effect at once, until the deployment has ended. After that, deploy the release that you want to run."), s.rollBack)
	openapi.Add(s.API, op(http.MethodPost, of+"/cancel", "cancel-deployment", access.NamespaceWriter, budget.Write, "Cancel a deployment", "It has the effect of a rollback."), s.cancel)
	openapi.Add(s.API, op(http.MethodPost, of+"/exclude-host", "exclude-host", access.NamespaceWriter, budget.Write, "Continue a deployment without a host", ""), s.exclude)
	openapi.Add(s.API, op(http.MethodPost, of+"/gates/{gate}", "judge-gate", access.NamespaceWriter, budget.Write, "Set the verdict of a gate by hand", "The gate is not measured any more in this deployment."), s.judgeGate)
}

type deployIn struct {
	EnvironmentPath
	Body apitypes.DeployRequest
}

// ownersOnly refuses everybody else where the policy lets only owners deploy.
func ownersOnly(c *endpoint.Call, p events.DeployPolicy) error {
	if p.Owners && c.Level < access.Admin {
		return endpoint.Fail(http.StatusForbidden, "only owners of the namespace deploy here: its policy says so")
	}
	return nil
}

func (s *Deployer) deploy(ctx context.Context, c *endpoint.Call, in *deployIn) (*openapi.ChangeWith[apitypes.Deployment], error) {
	command.CatchUp(ctx, s.Log, s.View)
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	policy, err := s.Read.Policy(ctx, e.Environment)
	if err != nil {
		return nil, err
	}
	if err := ownersOnly(c, policy.Value); err != nil {
		return nil, err
	}
	kind := events.DeployForward
	if in.Body.Rollback {
		kind = events.DeployRollback
	}
	id, seq, reasons, err := s.ask(ctx, c.By(), e, deployment.Wish{Kind: kind, Release: in.Body.Release, Policy: policy.Value, Note: in.Body.Note})
	if err == nil && len(reasons) > 0 {
		p := endpoint.Fail(http.StatusUnprocessableEntity, "the release cannot be deployed")
		for _, reason := range reasons {
			p.At("", reason)
		}
		err = p
	}
	return s.shownDeployment(ctx, id, seq, err)
}

// ask asks for a deployment, unless reasons stand against it.
func (s *Deployer) ask(ctx context.Context, by command.By, e application.Environment, w deployment.Wish) (id string, seq uint64, reasons []string, err error) {
	placement, err := s.Read.Placement(ctx, e.Environment)
	if err != nil {
		return "", 0, nil, err
	}
	w.Placement = placement.Value
	place, err := s.Read.Place(ctx, e.Environment)
	if err != nil {
		return "", 0, nil, err
	}
	if r, err := s.Read.Release(ctx, e.Application, w.Release); err == nil {
		w.Version = versionOf(r, e.Environment)
	}
	if state, err := s.state(ctx, e.Environment); err == nil && deployment.Free(state) != nil {
		return "", 0, nil, deployment.Free(state) // that counts for more than what stands against it
	}
	if reasons, err = s.against(ctx, place, w, time.Now()); err != nil || len(reasons) > 0 {
		return "", 0, reasons, err
	}
	if id, err = command.NewID(); err != nil {
		return "", 0, nil, err
	}
	seq, err = s.decide(ctx, by, e, func(state deployment.State) (events.Payload, error) {
		if state.Of.Deployment == id {
			return nil, nil // an attempt before was recorded
		}
		return deployment.Request(state, id, w)
	})
	return id, seq, nil, err
}

// shownDeployment answers a change with the deployment as it is then.
func (s *Deployer) shownDeployment(ctx context.Context, id string, seq uint64, err error) (*openapi.ChangeWith[apitypes.Deployment], error) {
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	out, err := s.deployment(ctx, id)
	return openapi.ShowChange(seq, out), err
}

// namedDeployment is the deployment that a path names. application.ErrUnknown.
func (s *Deployer) namedDeployment(ctx context.Context, c *endpoint.Call, in DeploymentPath) (deployment.State, application.Environment, error) {
	a, id, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return deployment.State{}, application.Environment{}, err
	}
	list, err := s.Read.Deployment(ctx, in.Deployment)
	if err != nil && !errors.Is(err, deploys.ErrNotFound) {
		return deployment.State{}, application.Environment{}, err
	}
	state := folded(list)
	if err != nil || state.Of.Application != a.ID {
		return state, application.Environment{}, fmt.Errorf("deployment %.36s of %s: %w", in.Deployment, a.Name, application.ErrUnknown)
	}
	return state, application.Environment{ID: id, Name: a.Name, Environment: state.Of.Environment, Called: state.Of.Called}, nil
}

// act records what a person decides about a deployment.
func (s *Deployer) act(ctx context.Context, c *endpoint.Call, in DeploymentPath, next func(deployment.State) (events.Payload, error)) (*openapi.ChangeWith[apitypes.Deployment], error) {
	then, e, err := s.namedDeployment(ctx, c, in)
	if err != nil {
		return nil, err
	}
	if err := ownersOnly(c, then.Request.Policy); err != nil {
		return nil, err
	}
	by := c.By()
	by.Cause, by.Correlation = then.ID, then.Correlation // who decided what is a part of its chain
	seq, err := s.decide(ctx, by, e, func(state deployment.State) (events.Payload, error) {
		if state.Of.Deployment != in.Deployment {
			return nil, deployment.ErrOther
		}
		return next(state)
	})
	return s.shownDeployment(ctx, in.Deployment, seq, err)
}

func (s *Deployer) promote(ctx context.Context, c *endpoint.Call, in *actionIn) (*openapi.ChangeWith[apitypes.Deployment], error) {
	return s.act(ctx, c, in.DeploymentPath, func(state deployment.State) (events.Payload, error) {
		if state.Request.Policy.Two && state.By == c.By().Actor {
			return nil, endpoint.Fail(http.StatusForbidden, "you have asked for this deployment: the policy wants somebody else to promote it")
		}
		return deployment.Promote(state, s.seen(ctx, state), in.Body.Reason)
	})
}

func (s *Deployer) rollBack(ctx context.Context, c *endpoint.Call, in *actionIn) (*openapi.ChangeWith[apitypes.Deployment], error) {
	return s.act(ctx, c, in.DeploymentPath, func(state deployment.State) (events.Payload, error) {
		return deployment.RollBack(state, in.Body.Reason)
	})
}

func (s *Deployer) cancel(ctx context.Context, c *endpoint.Call, in *actionIn) (*openapi.ChangeWith[apitypes.Deployment], error) {
	return s.act(ctx, c, in.DeploymentPath, func(state deployment.State) (events.Payload, error) {
		return deployment.Cancel(state, in.Body.Reason)
	})
}

func (s *Deployer) exclude(ctx context.Context, c *endpoint.Call, in *struct {
	DeploymentPath
	Body apitypes.ExcludeHostRequest
}) (*openapi.ChangeWith[apitypes.Deployment], error) {
	return s.act(ctx, c, in.DeploymentPath, func(state deployment.State) (events.Payload, error) {
		return deployment.Exclude(state, in.Body.Host, in.Body.Reason)
	})
}

func (s *Deployer) judgeGate(ctx context.Context, c *endpoint.Call, in *struct {
	DeploymentPath
	Gate string `path:"gate" maxLength:"40" doc:"Name of the gate"`
	Body apitypes.GateRequest
}) (*openapi.ChangeWith[apitypes.Deployment], error) {
	return s.act(ctx, c, in.DeploymentPath, func(state deployment.State) (events.Payload, error) {
		return deployment.Judge(state, in.Gate, in.Body.Verdict, in.Body.Reason, true)
	})
}

func (s *Deployer) getDeployment(ctx context.Context, c *endpoint.Call, in *DeploymentPath) (*openapi.Answer[apitypes.Deployment], error) {
	if _, _, err := s.namedDeployment(ctx, c, *in); err != nil {
		return nil, err
	}
	out, err := s.deployment(ctx, in.Deployment)
	return openapi.Show(out), err
}

func (s *Deployer) listDeployments(ctx context.Context, c *endpoint.Call, in *struct {
	AppPath
	Environment string `query:"environment" maxLength:"40" doc:"Only those of this environment"`
	openapi.Paging
}) (*openapi.List[apitypes.Deployment], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	environment := ""
	if in.Environment != "" {
		e, _, err := s.environment(ctx, c, EnvironmentPath{AppPath: in.AppPath, Environment: in.Environment})
		if err != nil {
			return nil, err
		}
		environment = e.ID
	}
	ids, err := s.Read.Deployments(ctx, a.ID, environment, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	shown, first, err := s.deploymentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	return openapi.Page(c, shown, in.Limit, func(last apitypes.Deployment) string { return openapi.CursorAtSequence(first[last.ID]) }), nil
}

func (s *Deployer) running(ctx context.Context, c *endpoint.Call, in *struct {
	EnvironmentPath
	At   string `query:"at" maxLength:"40" doc:"A time such as 2026-11-30T12:00:00Z, or the sequence of an event such as s12345; absent for now"`
	AsOf string `query:"as_of" maxLength:"40" doc:"The same, as other paths call it"`
}) (*openapi.Answer[apitypes.RunningState], error) {
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	e, _, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	at, err := s.pointOf(ctx, cmp.Or(in.At, in.AsOf), "query.at")
	if err != nil {
		return nil, err
	}
	list, err := s.Read.AsOf(ctx, e.ID, at.Time, at.Seq)
	if err != nil {
		return nil, err
	}
	out, err := s.runningState(ctx, c, a, folded(list))
	return openapi.Show(out), err
}
