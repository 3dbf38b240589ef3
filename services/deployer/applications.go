package deployer

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"

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

// Where applications are in the API.
const list, one = "/apps/{namespace}", "/apps/{namespace}/{app}"

// AppPath names an application.
type AppPath struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	App       string `path:"app" maxLength:"40" doc:"Name of the application"`
}

func (s *Deployer) registerApplications() {
	openapi.Add(s.API, op(http.MethodPost, "/compose/check", "check-compose", access.SignedIn, budget.Heavy, "Check a Compose file", "Changes nothing. The file is checked against an allow-list, from its text alone."), s.check)
	openapi.Add(s.API, op(http.MethodGet, list, "list-applications", access.NamespaceMember, budget.List, "List the applications of a namespace", ""), s.list)
	openapi.Add(s.API, op(http.MethodPost, list, "create-application", access.NamespaceAdmin, budget.Write, "Create an application from a Compose file", ""), s.create)
	openapi.Add(s.API, op(http.MethodGet, one, "get-application", access.NamespaceMember, budget.Read, "Show an application with its environments", ""), s.get)
	openapi.Add(s.API, op(http.MethodPatch, one, "change-application", access.NamespaceAdmin, budget.Write, "Change an application", "Absent fields stay as they are. Running containers do not change until the next release is deployed."), s.change)
	openapi.Add(s.API, op(http.MethodDelete, one, "delete-application", access.NamespaceAdmin, budget.Write, "Delete an application", "Destroys its secrets, and its releases no longer keep images. It cannot be restored. Refused while a deployment is running in one of its environments."), s.delete)
}

// app is the application that a path names, as of all that the log had when it was not
// found at first. application.ErrUnknown.
func (s *Deployer) app(ctx context.Context, namespace, name string) (*deploys.Application, application.ID, error) {
	a, err := s.Read.Application(ctx, namespace+"/"+name)
	if errors.Is(err, deploys.ErrNotFound) {
		return nil, application.ID{}, fmt.Errorf("application %s/%.40s: %w", namespace, name, application.ErrUnknown)
	}
	if err != nil {
		return nil, application.ID{}, err
	}
	return a, application.ID{Namespace: a.Namespace, Application: a.ID}, nil
}

func (s *Deployer) list(ctx context.Context, c *endpoint.Call, in *struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	openapi.Paging
}) (*openapi.List[apitypes.Application], error) {
	after, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Applications(ctx, c.Namespace.ID, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return s.listed(ctx, c, all, in.Limit)
}

func summary(a *deploys.Application) apitypes.Application {
	return apitypes.Application{Name: a.Name, Keep: a.Keep, Digest: a.Digest, Latest: a.Latest, Changed: apitypes.Known(a.Changed), ChangedBy: a.Actor, Seq: a.Seq}
}

type createIn struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	Body      apitypes.CreateApplicationRequest
}

func (s *Deployer) create(ctx context.Context, c *endpoint.Call, in *createIn) (*openapi.ChangeWith[apitypes.Application], error) {
	full := c.Namespace.Name + "/" + in.Body.Name
	if err := application.CheckName(full); err != nil {
		return nil, endpoint.Located(err, "body.name", application.ErrInvalid)
	}
	if err := s.judged(ctx, in.Body.Compose); err != nil {
		return nil, err
	}
	if have, err := s.Read.Applications(ctx, c.Namespace.ID, "", application.MaxApplications); err != nil || len(have) == application.MaxApplications {
		return nil, errors.Join(err, fmt.Errorf("%w: a namespace has at most %d applications", application.ErrTooMany, application.MaxApplications))
	}
	id, err := command.NewID()
	if err != nil {
		return nil, err
	}
	set := events.ApplicationSettings{Digest: digest.FromString(in.Body.Compose).String(), Compose: in.Body.Compose, Keep: in.Body.Keep}
	if set.Keep == 0 {
		set.Keep = application.DefaultKeep
	}
	seq, err := application.Create(ctx, s.Log, c.By(), application.ID{Namespace: c.Namespace.ID, Application: id}, full, set)
	return s.shown(ctx, c, full, seq, endpoint.Located(err, "body.name", application.ErrTaken))
}

// shown answers a change with the application as it is then.
func (s *Deployer) shown(ctx context.Context, c *endpoint.Call, name string, seq uint64, err error) (*openapi.ChangeWith[apitypes.Application], error) {
	if err := s.API.Outcome(ctx, seq, err); err != nil {
		return nil, err
	}
	a, err := s.Read.Application(ctx, name)
	if err != nil {
		return nil, err
	}
	details, err := s.details(ctx, c, a)
	return openapi.ShowChange(seq, details), err
}

func (s *Deployer) get(ctx context.Context, c *endpoint.Call, in *AppPath) (*openapi.Answer[apitypes.Application], error) {
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	out, err := s.details(ctx, c, a)
	return openapi.Show(out), err
}

// details are an application with what its Compose file comes to in each environment.
func (s *Deployer) details(ctx context.Context, c *endpoint.Call, a *deploys.Application) (apitypes.Application, error) {
	out := summary(a)
	var err error
	if out.Compose, err = s.Read.Compose(ctx, a.ID, a.Digest); err != nil {
		return out, err
	}
	j, err := s.judge(ctx, out.Compose)
	if err != nil {
		return out, err
	}
	out.Services = services(j)
	list, err := s.Read.Environments(ctx, a.ID)
	if err != nil {
		return out, err
	}
	standing, err := s.Read.EnvironmentsNow(ctx, []string{a.ID})
	if err != nil {
		return out, err
	}
	now, err := s.now(ctx, c, standing)
	if err != nil {
		return out, err
	}
	for k := range list {
		e := &list[k]
		j, err := s.judgeIn(ctx, out.Compose, e)
		if err != nil {
			return out, err
		}
		view := apitypes.AppEnvironment{Name: e.Name, Version: e.Configuration.Version, Missing: j.Missing, Created: apitypes.Known(e.Created), CreatedBy: e.Actor}
		for _, p := range j.Problems {
			view.Problems = append(view.Problems, told(c, p))
		}
		for k := range standing {
			if standing[k].ID == e.ID {
				view.Now = now[k]
			}
		}
		out.Environments = append(out.Environments, view)
	}
	return out, nil
}

type changeIn struct {
	AppPath
	Body apitypes.ChangeApplicationRequest
}

func (s *Deployer) change(ctx context.Context, c *endpoint.Call, in *changeIn) (*openapi.ChangeWith[apitypes.Application], error) {
	a, id, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	if in.Body.Compose != nil {
		if err := s.judged(ctx, *in.Body.Compose); err != nil {
			return nil, err
		}
	}
	seq, err := application.Change(ctx, s.Log, c.By(), id, a.Name, in.Body.Seq, func(set *events.ApplicationSettings) {
		if in.Body.Compose != nil {
			set.Compose, set.Digest = *in.Body.Compose, digest.FromString(*in.Body.Compose).String()
		}
		if in.Body.Keep != nil {
			set.Keep = *in.Body.Keep
		}
	})
	return s.shown(ctx, c, a.Name, seq, err)
}

func (s *Deployer) delete(ctx context.Context, c *endpoint.Call, in *AppPath) (*openapi.Change, error) {
	a, id, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	command.CatchUp(ctx, s.Log, s.View)
	if err := s.free(ctx, a); err != nil {
		return nil, err
	}
	seq, err := application.Delete(ctx, s.Log, c.By(), id, a.Name)
	return s.API.Changed(ctx, seq, err)
}

// free says that no deployment has an environment of an application. deployment.ErrBusy.
func (s *Deployer) free(ctx context.Context, a *deploys.Application) error {
	list, err := s.Read.Environments(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		state, err := s.state(ctx, e.ID)
		if err != nil {
			return err
		}
		if err := deployment.Free(state); err != nil {
			return fmt.Errorf("%w: type hubledger cancel %s %s, and delete the application when that has ended", err, a.Name, e.Name)
		}
	}
	return nil
}
