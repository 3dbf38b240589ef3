package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type setPolicyIn struct {
	openapi.RepositoryPath
	Body apitypes.Policy
}

func (s *API) registerPolicy() {
	const path = repositoryPath + "/policy"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "get-policy", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show what a repository accepts"}, s.getPolicy)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path, ID: "set-policy", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Set what a repository accepts", About: "The cleanup rule stays as it is."}, s.setPolicy)
}

// policy is the whole policy of the call's repository.
func (s *API) policy(ctx context.Context, c *endpoint.Call) (events.RepositoryPolicy, error) {
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return events.RepositoryPolicy{}, err
	}
	return repo.Policy, nil
}

// latestWithin bounds how long something is not shown because a read model is behind the log.
const latestWithin = time.Second

// latest is the sequence of the latest event of the call's repository, which what is read behind it
// has. 0 where that cannot be told now: the repository is shown all the same, and who then
// changes it by what was shown is refused.
func (s *API) latest(ctx context.Context, c *endpoint.Call) uint64 {
	ctx, cancel := context.WithTimeout(ctx, latestWithin)
	defer cancel()
	last, err := s.Log.Last(ctx, events.RepositorySubject(c.Repository.Namespace, c.Repository.Name))
	if err != nil || last == nil || s.Readable(ctx, last.Seq) != nil {
		return 0
	}
	return last.Seq
}

func (s *API) getPolicy(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.Policy], error) {
	seq := s.latest(ctx, c)
	p, err := s.policy(ctx, c)
	if p.ImmutableTags == nil {
		p.ImmutableTags = []string{}
	}
	return openapi.Show(apitypes.Policy{ImmutableTags: p.ImmutableTags, SparseIndexes: p.SparseIndexes, Seq: &seq}), err
}

func (s *API) setPolicy(ctx context.Context, c *endpoint.Call, in *setPolicyIn) (*openapi.Change, error) {
	return s.changePolicy(ctx, c, in.Body.Seq, func(p *events.RepositoryPolicy) {
		p.ImmutableTags, p.SparseIndexes = in.Body.ImmutableTags, in.Body.SparseIndexes
	})
}

// changePolicy changes a part of the policy of the call's repository; seen is that of
// command.DecideSeen.
func (s *API) changePolicy(ctx context.Context, c *endpoint.Call, seen *uint64, change func(*events.RepositoryPolicy)) (*openapi.Change, error) {
	seq, err := s.editor.Seeing(seen).ChangePolicy(ctx, c.By(), c.RepositoryID(), c.Repository.Name, change)
	return s.Changed(ctx, seq, atSetting(err))
}
