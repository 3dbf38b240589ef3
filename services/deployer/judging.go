package deployer

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func (s *Deployer) check(ctx context.Context, _ *endpoint.Call, in *struct{ Body apitypes.CheckComposeRequest }) (*openapi.Answer[apitypes.CheckedCompose], error) {
	j, err := s.judge(ctx, in.Body.Compose)
	if err != nil {
		return nil, err
	}
	out := apitypes.CheckedCompose{Problems: []apitypes.ComposeProblem{}, Missing: j.Missing}
	for _, p := range j.Problems {
		out.Problems = append(out.Problems, apitypes.ComposeProblem{Path: p.Path, Line: p.Line, Text: p.Text})
	}
	if len(j.Problems) == 0 {
		out.Services = services(j)
	}
	return openapi.Show(out), nil
}

// services are those of a file that was judged.
func services(j compose.Judgment) (out []apitypes.AppService) {
	for _, name := range slices.Sorted(maps.Keys(j.Images)) {
		role := j.Roles[name]
		out = append(out, apitypes.AppService{Name: name, Role: role.Kind, Image: j.Images[name], Blue: role.Blue, Green: role.Green, Probe: role.Probe, Host: role.Host})
	}
	return out
}

// judge says what a Compose file comes to. A large one takes up to a second, which counts
// as a heavy part of the request, whatever else that does.
func (s *Deployer) judge(ctx context.Context, text string) (compose.Judgment, error) {
	return s.judgeIn(ctx, text, nil)
}

// judgeIn is judge for an environment, whose values are read for it; nil: for none yet.
func (s *Deployer) judgeIn(ctx context.Context, text string, e *deploys.Environment) (j compose.Judgment, err error) {
	leave, err := budget.Of(ctx).Part(ctx, budget.Heavy)
	if err != nil {
		return j, err
	}
	defer leave()
	var with compose.Setting
	if e != nil {
		if with, err = s.setting(ctx, e); err != nil {
			return j, err
		}
	}
	with.Allow = s.Allow
	return compose.Judge(ctx, []byte(text), with), nil
}

// judged refuses a Compose file that has problems: each names its field and line.
func (s *Deployer) judged(ctx context.Context, text string) error {
	j, err := s.judge(ctx, text)
	if err != nil || len(j.Problems) == 0 {
		return err
	}
	p := endpoint.Fail(http.StatusUnprocessableEntity, "the Compose file is refused")
	for _, one := range j.Problems {
		p.At("body.compose", one.Error())
	}
	return p
}

// told is a problem in an environment as the caller may read it: only owners read the values
// of its configuration, which the text of a problem may quote.
func told(c *endpoint.Call, p compose.Problem) string {
	if p.Filled && c.Level < access.Admin {
		p.Text = "this cannot be used with the configuration; an owner of the namespace sees why"
	}
	return p.Error()
}

// setting is what a Compose file is judged by for an environment.
func (s *Deployer) setting(ctx context.Context, e *deploys.Environment) (compose.Setting, error) {
	values, err := s.values(ctx, e)
	out := compose.Setting{Values: values, Environment: e.Name}
	for _, secret := range e.Configuration.Secrets {
		out.Secrets = append(out.Secrets, secret.Name)
	}
	return out, err
}

// judged names a release as it is in an environment, which never changes.
type judged struct {
	environment string
	release     int
}

// maxApps bounds the Compose files that are kept as they were judged; judging a large one
// takes up to a second.
const maxApps = 100

// apps are releases that were judged.
type apps struct {
	mu  sync.Mutex
	all map[judged]*compose.App
}

func (a *apps) get(key judged) *compose.App {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all[key]
}

func (a *apps) put(key judged, app *compose.App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) >= maxApps || a.all == nil {
		a.all = map[judged]*compose.App{}
	}
	a.all[key] = app
}
