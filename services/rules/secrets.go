package rules

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/buildsecret"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// Secrets are encrypted records beside the log.
type Secrets interface {
	Put(ctx context.Context, key string, value []byte) error
	Destroy(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// errNoSecrets is what changes meet while the log is read-only.
var errNoSecrets = fmt.Errorf("the secrets cannot be written: %w", events.ErrReadOnly)

// SecretPath names a secret of a repository.
type SecretPath struct {
	openapi.RepositoryPath
	Secret string `path:"secret" maxLength:"128" doc:"Name of the secret"`
}

type setSecretIn struct {
	SecretPath
	Body apitypes.SetBuildSecretRequest
}

func (s *Rules) secrets(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.BuildSecrets], error) {
	list, err := s.Read.Secrets(ctx, c.Repository.ID)
	view := apitypes.BuildSecrets{Secrets: make([]apitypes.BuildSecret, len(list))}
	for k, one := range list {
		view.Secrets[k] = apitypes.BuildSecret{Name: one.Name, ForFile: one.ForFile, Changed: apitypes.Known(one.Changed), ChangedBy: one.Actor}
	}
	return openapi.Show(view), err
}

// setSecret writes the value before the event: a secret that is set has one. That of an
// event that was not recorded is destroyed later, as stale.
func (s *Rules) setSecret(ctx context.Context, c *endpoint.Call, in *setSecretIn) (*openapi.Change, error) {
	if err := cmp.Or(buildsecret.CheckName(in.Secret), buildsecret.CheckValue(in.Body.Value)); err != nil {
		return nil, err
	}
	if s.Secrets == nil {
		return nil, errNoSecrets
	}
	before, err := s.Read.Secrets(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	old := recordOf(before, in.Secret)
	if old == "" && len(before) >= buildsecret.MaxSecrets {
		return nil, buildsecret.ErrTooMany
	}
	record, err := command.NewID()
	if err != nil {
		return nil, err
	}
	if err := s.Secrets.Put(ctx, buildsecret.RecordName(c.Repository.ID, record), []byte(in.Body.Value)); err != nil {
		return nil, err
	}
	seq, err := buildsecret.Set(ctx, s.Log, c.By(), c.RepositoryID(), c.Repository.Name, in.Secret, record, in.Body.ForFile)
	if err != nil {
		return nil, err
	}
	s.destroyOld(ctx, c, old)
	return s.API.Changed(ctx, seq, nil)
}

func (s *Rules) removeSecret(ctx context.Context, c *endpoint.Call, in *SecretPath) (*openapi.Change, error) {
	if s.Secrets == nil {
		return nil, errNoSecrets
	}
	before, err := s.Read.Secrets(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	seq, err := buildsecret.Remove(ctx, s.Log, c.By(), c.RepositoryID(), c.Repository.Name, in.Secret)
	if err == nil {
		s.destroyOld(ctx, c, recordOf(before, in.Secret))
	}
	return s.API.Changed(ctx, seq, err)
}

// destroyOld destroys a value that was replaced. What fails is done later, as stale.
func (s *Rules) destroyOld(ctx context.Context, c *endpoint.Call, record string) {
	if record == "" {
		return
	}
	if err := s.Secrets.Destroy(ctx, buildsecret.RecordName(c.Repository.ID, record)); err != nil {
		s.Logger.Warn("a build secret that was replaced is destroyed later", "repository", c.Repository.Name, "error", err)
	}
}

// recordOf is the record of a secret, "" when there is none of that name.
func recordOf(list []builds.Secret, name string) string {
	if k := slices.IndexFunc(list, func(one builds.Secret) bool { return one.Name == name }); k >= 0 {
		return list[k].Record
	}
	return ""
}

// missing warns of secrets that rules name and the repository does not have.
func missing(rules []events.BuildRule, have []builds.Secret) (out buildrule.Problems) {
	for k, r := range rules {
		for _, name := range r.Secrets {
			if recordOf(have, name) == "" {
				out = append(out, buildrule.Problem{Rule: r.Name, Index: k, Field: "secrets", Warning: true, What: "the repository has no secret " + name, Why: "builds of the rule fail without it",
					Fix: "set it with hubledger rules secrets set"})
			}
		}
	}
	return out
}
