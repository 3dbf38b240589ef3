package api

import (
	"context"
	"net/http"

	"hubledger/events"
	"hubledger/services/internal/repository"
)

type policyView struct {
	ImmutableTags []string `json:"immutableTags" maxItems:"50" nullable:"false" doc:"RE2 patterns that match a whole tag: such a tag is pushed once and neither moved nor deleted"`
	SparseIndexes bool     `json:"sparseIndexes" doc:"Accept an index some of whose manifests are not there"`
}

type setPolicyIn struct {
	RepositoryPath
	Body policyView
}

func (s *API) registerPolicy() {
	const path = repositoryPath + "/policy"
	add(s, operation{method: http.MethodGet, path: path, id: "get-policy", tag: "repositories", summary: "Show what a repository accepts"}, s.getPolicy)
	add(s, operation{method: http.MethodPut, path: path, id: "set-policy", tag: "repositories",
		summary: "Say what a repository accepts", about: "The cleanup rule stays as it is."}, s.setPolicy)
}

// policy is the whole policy of the call's repository.
func (s *API) policy(ctx context.Context, c *call) (events.RepositoryPolicy, error) {
	repo, err := s.Images.Repository(ctx, c.repo.Name)
	if err != nil {
		return events.RepositoryPolicy{}, err
	}
	return repo.Policy, nil
}

func (s *API) getPolicy(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[policyView], error) {
	p, err := s.policy(ctx, c)
	if p.ImmutableTags == nil {
		p.ImmutableTags = []string{}
	}
	return &wholly[policyView]{policyView{p.ImmutableTags, p.SparseIndexes}}, err
}

func (s *API) setPolicy(ctx context.Context, c *call, in *setPolicyIn) (*written, error) {
	return s.changePolicy(ctx, c, func(p *events.RepositoryPolicy) {
		p.ImmutableTags, p.SparseIndexes = in.Body.ImmutableTags, in.Body.SparseIndexes
	})
}

// changePolicy states the whole policy anew with a part of it changed.
func (s *API) changePolicy(ctx context.Context, c *call, change func(*events.RepositoryPolicy)) (*written, error) {
	seq, err := s.caughtUp(ctx, c)
	if err != nil {
		return nil, err
	}
	before, err := s.policy(ctx, c)
	if err != nil {
		return nil, err
	}
	p := before
	change(&p)
	if same, err := samePolicy(before, p); seq != 0 && same || err != nil {
		return s.done(ctx, seq, err)
	}
	seq, err = repository.ChangePolicy(ctx, s.Log, by(c.p), c.id(), c.repo.Name, p)
	return s.done(ctx, seq, err)
}
