package deployer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

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

// errNoSecrets is what is met while the log is read-only.
var errNoSecrets = fmt.Errorf("configurations and secrets can be neither read nor changed: %w", events.ErrReadOnly)

// EnvironmentPath names an environment.
type EnvironmentPath struct {
	AppPath
	Environment string `path:"environment" maxLength:"40" doc:"Name of the environment, such as production"`
}

// KeyPath names a value or a secret of an environment.
type KeyPath struct {
	EnvironmentPath
	Key string `path:"key" maxLength:"128" doc:"By which containers have it in their environment"`
}

type setKeyIn struct {
	KeyPath
	Body apitypes.SetConfigRequest
}

type removeKeyIn struct {
	KeyPath
	Seq uint64 `query:"seq" maximum:"9007199254740991" doc:"It is only removed if the configuration still is that of this event; absent: whatever it is"`
}

func (s *Deployer) registerEnvironments() {
	const path = one + "/environments/{environment}"
	openapi.Add(s.API, op(http.MethodPut, path, "create-environment", access.NamespaceAdmin, budget.Write, "Add an environment to an application", ""), s.createEnvironment)
	openapi.Add(s.API, op(http.MethodGet, path, "get-environment", access.NamespaceMember, budget.Search, "Show an environment", "Shows what runs there, the current state of its hosts, its latest deployment, and how the next one will proceed."), s.getEnvironment)
	openapi.Add(s.API, op(http.MethodDelete, path, "delete-environment", access.NamespaceAdmin, budget.Write, "Delete an environment", "Its secrets are destroyed. It cannot be restored."), s.deleteEnvironment)
	openapi.Add(s.API, op(http.MethodGet, path+"/config", "get-config", access.NamespaceAdmin, budget.Search, "Show the configuration of an environment", "Includes the names of its secrets, not their values."), s.config)
	openapi.Add(s.API, op(http.MethodPut, path+"/config/{key}", "set-config", access.NamespaceAdmin, budget.Write, "Set a value of an environment's configuration", "Unlike a secret, owners can read the value back. It is stored encrypted, outside the log."), s.setValue)
	openapi.Add(s.API, op(http.MethodDelete, path+"/config/{key}", "remove-config", access.NamespaceAdmin, budget.Write, "Remove a value from an environment's configuration", ""), s.removeValue)
	openapi.Add(s.API, op(http.MethodPut, path+"/secrets/{key}", "set-app-secret", access.NamespaceAdmin, budget.Write, "Set a secret of an environment", "The value is stored encrypted, outside the log, and is never shown."), s.setSecret)
	openapi.Add(s.API, op(http.MethodDelete, path+"/secrets/{key}", "remove-app-secret", access.NamespaceAdmin, budget.Write, "Remove a secret from an environment", "Its value is destroyed when no kept release needs it."), s.removeSecret)
}

// environment is that which a path names, as commands on it say it. application.ErrUnknown.
func (s *Deployer) environment(ctx context.Context, c *endpoint.Call, in EnvironmentPath) (*deploys.Environment, application.Environment, error) {
	a, id, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, application.Environment{}, err
	}
	list, err := s.Read.Environments(ctx, a.ID)
	for k := range list {
		if e := &list[k]; e.Name == in.Environment {
			return e, application.Environment{ID: id, Name: a.Name, Environment: e.ID, Called: e.Name}, nil
		}
	}
	return nil, application.Environment{}, cmp.Or(err, fmt.Errorf("environment %.40s of %s: %w", in.Environment, a.Name, application.ErrUnknown))
}

func (s *Deployer) createEnvironment(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Change, error) {
	a, of, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	have, err := s.Read.Environments(ctx, a.ID)
	if err == nil && len(have) >= application.MaxEnvironments {
		err = fmt.Errorf("%w: an application has at most %d environments", application.ErrTooMany, application.MaxEnvironments)
	}
	if err != nil {
		return nil, err
	}
	id, err := command.NewID()
	if err != nil {
		return nil, err
	}
	seq, err := application.CreateEnvironment(ctx, s.Log, c.By(), application.Environment{ID: of, Name: a.Name, Environment: id, Called: in.Environment})
	return s.API.Changed(ctx, seq, endpoint.Located(err, "path.environment", application.ErrInvalid))
}

func (s *Deployer) deleteEnvironment(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Change, error) {
	_, e, err := s.environment(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	seq, err := application.DeleteEnvironment(ctx, s.Log, c.By(), e, func(seq uint64) error {
		state, err := s.stateAt(ctx, e.Environment, seq)
		if err != nil {
			return err
		}
		return deployment.Free(state)
	})
	return s.API.Changed(ctx, seq, err)
}

func (s *Deployer) config(ctx context.Context, c *endpoint.Call, in *EnvironmentPath) (*openapi.Answer[apitypes.Configuration], error) {
	e, _, err := s.environment(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	now := e.Configuration
	out := apitypes.Configuration{Version: now.Version, Values: []apitypes.ConfigValue{}, Secrets: []string{}, Changed: apitypes.Known(now.Time), ChangedBy: now.Actor, Seq: now.Seq}
	values, err := s.values(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out.Values = append(out.Values, apitypes.ConfigValue{Name: name, Value: values[name]})
	}
	for _, secret := range now.Secrets {
		out.Secrets = append(out.Secrets, secret.Name)
	}
	return openapi.Show(out), nil
}

// configure makes the next version of an environment's configuration; seen is that of
// command.DecideSeen.
func (s *Deployer) configure(ctx context.Context, c *endpoint.Call, e application.Environment, seen *uint64, edit func(*application.Configuration) error) (*openapi.Change, error) {
	seq, err := application.Configure(ctx, s.Log, c.By(), e, seen, edit)
	return s.API.Changed(ctx, seq, err)
}

// values are those of an environment's latest configuration, by name.
func (s *Deployer) values(ctx context.Context, e *deploys.Environment) (map[string]string, error) {
	values := map[string]string{}
	if len(e.Configuration.Values) > 0 && s.Secrets == nil {
		return nil, errNoSecrets
	}
	for _, r := range e.Configuration.Values {
		value, _, err := s.Secrets.Get(ctx, application.RecordName(e.ID, r.Record))
		if err != nil {
			return nil, fmt.Errorf("the value %s of %s: %w", r.Name, e.Name, err)
		}
		values[r.Name] = string(value)
	}
	return values, nil
}

func (s *Deployer) setValue(ctx context.Context, c *endpoint.Call, in *setKeyIn) (*openapi.Change, error) {
	if err := checkKey(in); err != nil {
		return nil, err
	}
	command.CatchUp(ctx, s.Log, s.View)
	e, of, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	if s.Secrets == nil {
		return nil, errNoSecrets
	}
	if record := application.Record(e.Configuration.Values, in.Key); record != "" {
		now, err := s.valueOf(ctx, e.ID, events.ConfigurationRecord{Name: in.Key, Record: record})
		if err != nil {
			return nil, err
		}
		if now == in.Body.Value {
			return s.configure(ctx, c, of, in.Body.Seq, func(*application.Configuration) error { return nil })
		}
	}
	if err := s.fits(ctx, e, in); err != nil {
		return nil, err
	}
	return s.setRecord(ctx, c, of, in, listOfValues)
}

// setRecord writes what a key is set to before the event: what is set is there. The record
// of an event that was not recorded is destroyed later, as stale.
func (s *Deployer) setRecord(ctx context.Context, c *endpoint.Call, e application.Environment, in *setKeyIn, list listOf) (*openapi.Change, error) {
	record, err := command.NewID()
	if err == nil {
		err = s.Secrets.Put(ctx, application.RecordName(e.Environment, record), []byte(in.Body.Value))
	}
	if err != nil {
		return nil, err
	}
	return s.configure(ctx, c, e, in.Body.Seq, func(now *application.Configuration) error {
		application.Set(list(now), in.Key, record)
		return nil
	})
}

// A listOf is one of the two lists of a configuration.
type listOf func(*application.Configuration) *[]events.ConfigurationRecord

func listOfValues(c *application.Configuration) *[]events.ConfigurationRecord  { return &c.Values }
func listOfSecrets(c *application.Configuration) *[]events.ConfigurationRecord { return &c.Secrets }

// checkKey says at which field of the request a key or its value is wrong.
func checkKey(in *setKeyIn) error {
	return cmp.Or(endpoint.Located(application.CheckKey(in.Key), "path.key", application.ErrInvalid),
		endpoint.Located(application.CheckValue(in.Body.Value), "body.value", application.ErrInvalid))
}

func (s *Deployer) removeValue(ctx context.Context, c *endpoint.Call, in *removeKeyIn) (*openapi.Change, error) {
	return s.remove(ctx, c, in, "value", listOfValues)
}

func (s *Deployer) setSecret(ctx context.Context, c *endpoint.Call, in *setKeyIn) (*openapi.Change, error) {
	if err := checkKey(in); err != nil {
		return nil, err
	}
	if in.Body.Value == "" {
		return nil, endpoint.Invalid("body.value", "a secret is not empty")
	}
	if s.Secrets == nil {
		return nil, errNoSecrets
	}
	command.CatchUp(ctx, s.Log, s.View)
	e, of, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	if err := s.fits(ctx, e, in); err != nil {
		return nil, err
	}
	return s.setRecord(ctx, c, of, in, listOfSecrets)
}

// fits says that a key can have its value beside all else that the environment has: hosts are
// told all of it.
func (s *Deployer) fits(ctx context.Context, e *deploys.Environment, in *setKeyIn) error {
	size := len(in.Body.Value)
	for _, r := range slices.Concat(e.Configuration.Values, e.Configuration.Secrets) {
		if r.Name == in.Key {
			continue
		}
		value, err := s.valueOf(ctx, e.ID, r)
		if err != nil {
			return err
		}
		size += len(value)
	}
	if size > application.MaxAll {
		return endpoint.Invalid("body.value", fmt.Sprintf("the values and secrets of an environment have at most %d bytes together, and with this one they would have %d: remove what is not needed", application.MaxAll, size))
	}
	return nil
}

func (s *Deployer) removeSecret(ctx context.Context, c *endpoint.Call, in *removeKeyIn) (*openapi.Change, error) {
	return s.remove(ctx, c, in, "secret", listOfSecrets)
}

func (s *Deployer) remove(ctx context.Context, c *endpoint.Call, in *removeKeyIn, what string, list listOf) (*openapi.Change, error) {
	_, e, err := s.environment(ctx, c, in.EnvironmentPath)
	if err != nil {
		return nil, err
	}
	var seen *uint64
	if in.Seq > 0 {
		seen = &in.Seq
	}
	return s.configure(ctx, c, e, seen, func(now *application.Configuration) error {
		if application.Record(*list(now), in.Key) == "" {
			return fmt.Errorf("%s %.128s of %s: %w", what, in.Key, in.Environment, application.ErrUnknown)
		}
		application.Set(list(now), in.Key, "")
		return nil
	})
}
