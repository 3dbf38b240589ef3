package rules

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type setIn struct {
	openapi.RepositoryPath
	Body apitypes.SetRulesRequest
}

func (s *Rules) get(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.Rules], error) {
	shown, err := s.shown(ctx, c)
	return openapi.Show(shown), err
}

// set answers with the rules as they are then: that may be a later change already.
func (s *Rules) set(ctx context.Context, c *endpoint.Call, in *setIn) (*openapi.ChangeWith[apitypes.Rules], error) {
	if p := problems(buildrule.Validate(in.Body.Rules).Errors()); p != nil {
		return nil, p
	}
	before, err := s.saved(ctx, c)
	if err != nil {
		return nil, err
	}
	source, err := s.source(ctx, c, in.Body.Source, before.Source)
	if err == nil {
		err = s.mayFeed(ctx, c, source, before.Source)
	}
	if err != nil {
		return nil, err
	}
	seq, err := buildrule.Save(ctx, s.Log, c.By(), c.RepositoryID(), c.Repository.Name, buildrule.Saved{Source: source, Rules: in.Body.Rules, FromFile: in.Body.FromFile}, in.Body.Seq)
	if err = s.API.Outcome(ctx, seq, err); err != nil {
		return nil, endpoint.Located(err, "body.rules", buildrule.ErrRules)
	}
	shown, err := s.shown(ctx, c)
	return openapi.ShowChange(seq, shown), err
}

// problems is the answer to rules with errors, nil without: each error names its rule
// and field.
func problems(errs buildrule.Problems) error {
	if len(errs) == 0 {
		return nil
	}
	p := endpoint.Fail(422, buildrule.ErrRules.Error())
	for _, e := range errs {
		p.At(e.Location("body.rules"), e.Error())
	}
	return p
}

// saved are the rules of the call's repository; the zero value when they never were set.
func (s *Rules) saved(ctx context.Context, c *endpoint.Call) (builds.Rules, error) {
	r, err := s.Read.Rules(ctx, c.Repository.ID)
	if errors.Is(err, builds.ErrNotFound) {
		return builds.Rules{}, nil
	}
	if err != nil {
		return builds.Rules{}, err
	}
	return *r, nil
}

// source is the id of the git source of that name, "" for none. Whoever may set the rules of one
// repository need not know the git repositories of its namespace, so a source that
// the rules did not name before has to be one that the caller may see.
func (s *Rules) source(ctx context.Context, c *endpoint.Call, name, before string) (string, error) {
	if name == "" {
		return "", nil
	}
	unknown := endpoint.Invalid("body.source", "the namespace of "+c.Repository.Name+" has no git source of that name that you may see")
	of, err := s.Read.Source(ctx, name)
	switch {
	case errors.Is(err, builds.ErrNotFound):
		return "", unknown
	case err != nil:
		return "", err
	case of.Namespace != c.Repository.Namespace:
		return "", unknown
	case of.ID == before:
		return of.ID, nil
	}
	level, _, err := s.Rights.Namespace(ctx, c.Principal, access.NamespaceOf(of.Name))
	if err != nil {
		return "", err
	}
	if level < access.Read {
		return "", unknown
	}
	return of.ID, nil
}

// maxFed is how many repositories one git source feeds: each move of a ref is an event
// of each of them.
const maxFed = 20

// mayFeed refuses a git source that feeds too many other repositories.
func (s *Rules) mayFeed(ctx context.Context, c *endpoint.Call, source, before string) error {
	if source == "" || source == before {
		return nil
	}
	n, err := s.Read.Fed(ctx, source, c.Repository.ID)
	if err == nil && n >= maxFed {
		err = endpoint.Invalid("body.source", fmt.Sprintf("this git source is that of the rules of %d repositories already: end those of another one, or link the git repository again", n))
	}
	return err
}

// shown are the rules of the call's repository as the API shows them.
func (s *Rules) shown(ctx context.Context, c *endpoint.Call) (apitypes.Rules, error) {
	r, err := s.saved(ctx, c)
	if err != nil {
		return apitypes.Rules{}, err
	}
	out := apitypes.Rules{Rules: r.Rules, FromFile: r.FromFile, Warnings: buildrule.Validate(r.Rules), Changed: apitypes.Known(r.Changed), ChangedBy: r.Actor, Seq: r.Seq}
	have, err := s.Read.Secrets(ctx, c.Repository.ID)
	if err != nil {
		return apitypes.Rules{}, err
	}
	out.Warnings = append(out.Warnings, missing(r.Rules, have)...)
	if r.Source != "" {
		of, err := s.Read.SourceByID(ctx, r.Source)
		switch {
		case errors.Is(err, builds.ErrNotFound):
			out.Warnings = append(out.Warnings, buildrule.Problem{Index: -1, Warning: true, What: "the git source was unlinked", Why: "nothing is built from it", Fix: "set the rules with another source"})
		case err != nil:
			return apitypes.Rules{}, err
		default:
			out.Source = of.Name
		}
	}
	if out.Rules == nil {
		out.Rules = []events.BuildRule{}
	}
	if out.Warnings == nil {
		out.Warnings = buildrule.Problems{}
	}
	return out, nil
}
