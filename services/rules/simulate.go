package rules

import (
	"context"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type simulateIn struct {
	openapi.RepositoryPath
	Body apitypes.SimulateRulesRequest
}

func (s *Rules) simulate(ctx context.Context, c *endpoint.Call, in *simulateIn) (*openapi.Answer[buildrule.Simulation], error) {
	saved, err := s.saved(ctx, c)
	if err != nil {
		return nil, err
	}
	rules := saved.Rules
	if in.Body.Rules != nil {
		rules = *in.Body.Rules
		if p := problems(buildrule.Validate(rules).Errors()); p != nil {
			return nil, p
		}
	}
	refs, err := s.refs(ctx, c, in.Body, saved.Source)
	if err != nil {
		return nil, err
	}
	for i := range refs {
		refs[i].Changed, refs[i].ChangesKnown, refs[i].PullRequest = in.Body.Changed, len(in.Body.Changed) > 0, in.Body.PullRequest
	}
	sim := buildrule.Simulate(rules, refs)
	if saved.FromFile && in.Body.Rules == nil {
		sim = sim.ForOtherCommits()
	}
	return openapi.Show(sim), nil
}

// refs are those that were asked for, or else those of the git source that were not
// deleted. Of a pull request they are branches.
func (s *Rules) refs(ctx context.Context, c *endpoint.Call, in apitypes.SimulateRulesRequest, before string) ([]buildrule.Ref, error) {
	var refs []buildrule.Ref
	keep := func(ref buildrule.Ref) {
		if in.PullRequest == "" || ref.Kind == buildrule.Branch {
			refs = append(refs, ref)
		}
	}
	if in.Refs != nil {
		for _, full := range in.Refs {
			ref, err := buildrule.ParseRef(full)
			if err != nil {
				return nil, endpoint.Invalid("body.refs", err.Error())
			}
			keep(ref)
		}
		return refs, nil
	}
	source := before
	if in.Source != "" {
		var err error
		if source, err = s.source(ctx, c, in.Source, before); err != nil {
			return nil, err
		}
	}
	if source == "" {
		return nil, endpoint.Invalid("body.source", "the repository has no rules with a git source whose refs could be taken: name a source, or refs")
	}
	seen, err := s.Read.Refs(ctx, source, 0, buildrule.MaxSimulated+1)
	if err != nil {
		return nil, err
	}
	for _, r := range seen {
		if r.Commit == "" {
			continue // deleted
		}
		ref, err := buildrule.ParseRef(r.Name)
		if err != nil {
			return nil, err
		}
		ref.Commit = r.Commit
		keep(ref)
	}
	return refs, nil
}
