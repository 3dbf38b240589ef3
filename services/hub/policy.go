package hub

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

func (h *Hub) registerPolicy() {
	const path = repositoryPath + "/policy"
	add(h, operation{method: http.MethodGet, path: path, id: "get-policy", tag: "repositories", summary: "Show what a repository accepts"}, h.getPolicy)
	add(h, operation{method: http.MethodPut, path: path, id: "set-policy", tag: "repositories",
		summary: "Say what a repository accepts", about: "The cleanup rule stays as it is."}, h.setPolicy)
}

// policy is the whole policy of the call's repository.
func (h *Hub) policy(ctx context.Context, c *call) (events.RepositoryPolicy, error) {
	repo, err := h.Images.Repository(ctx, c.repo.Name)
	if err != nil {
		return events.RepositoryPolicy{}, err
	}
	return repo.Policy, nil
}

func (h *Hub) getPolicy(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[policyView], error) {
	p, err := h.policy(ctx, c)
	if p.ImmutableTags == nil {
		p.ImmutableTags = []string{}
	}
	return &wholly[policyView]{policyView{p.ImmutableTags, p.SparseIndexes}}, err
}

func (h *Hub) setPolicy(ctx context.Context, c *call, in *setPolicyIn) (*written, error) {
	return h.changePolicy(ctx, c, func(p *events.RepositoryPolicy) {
		p.ImmutableTags, p.SparseIndexes = in.Body.ImmutableTags, in.Body.SparseIndexes
	})
}

// changePolicy states the whole policy anew with a part of it changed.
func (h *Hub) changePolicy(ctx context.Context, c *call, change func(*events.RepositoryPolicy)) (*written, error) {
	seq, err := h.caughtUp(ctx, c)
	if err != nil {
		return nil, err
	}
	before, err := h.policy(ctx, c)
	if err != nil {
		return nil, err
	}
	p := before
	change(&p)
	if same, err := samePolicy(before, p); seq != 0 && same || err != nil {
		return h.done(ctx, seq, err)
	}
	seq, err = repository.ChangePolicy(ctx, h.Log, by(c.p), c.id(), c.repo.Name, p)
	return h.done(ctx, seq, err)
}
