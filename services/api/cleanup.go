package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/repository"
)

// cleanupRule is events.Cleanup in the API's words.
type cleanupRule struct {
	KeepLast      int      `json:"keepLast" minimum:"0" maximum:"10000" required:"false" doc:"So many of the tags pushed last stay; 0 protects none"`
	KeepTags      []string `json:"keepTags" maxItems:"50" nullable:"false" required:"false" doc:"RE2 patterns that match a whole tag: such tags stay"`
	NotPulledDays int      `json:"notPulledDays" minimum:"0" maximum:"10000" required:"false" doc:"Days without a pull or a push after which a tag goes; 0 for no such rule"`
	UntaggedDays  int      `json:"untaggedDays" minimum:"0" maximum:"10000" required:"false" doc:"Days after which a manifest goes that nothing needs; 0 for never"`
}

func (r cleanupRule) event() events.Cleanup {
	return events.Cleanup{KeepLast: r.KeepLast, KeepTags: r.KeepTags, NotPulledDays: r.NotPulledDays, UntaggedDays: r.UntaggedDays}
}

func shownRule(c *events.Cleanup) cleanupRule {
	if c == nil {
		return cleanupRule{KeepTags: []string{}}
	}
	return cleanupRule{c.KeepLast, append([]string{}, c.KeepTags...), c.NotPulledDays, c.UntaggedDays}
}

func (r cleanupRule) empty() bool {
	return r.KeepLast == 0 && r.NotPulledDays == 0 && r.UntaggedDays == 0
}

type ruleIn struct {
	RepositoryPath
	Body cleanupRule
}

type previewIn struct {
	RepositoryPath
	Body *cleanupRule `doc:"A rule to try; absent: the repository's own"`
}

// cleaned answers a run of the rule.
type cleaned struct {
	Tags      int    `json:"tags" doc:"How many were deleted"`
	Manifests int    `json:"manifests" doc:"How many were deleted"`
	Seq       uint64 `json:"seq" doc:"Sequence of the log's last event then"`
}

func (s *API) registerCleanup() {
	const path = repositoryPath + "/cleanup"
	add(s, operation{method: http.MethodGet, path: path, id: "get-cleanup", tag: "repositories", summary: "Show the cleanup rule", about: "One of zeros deletes nothing."}, s.getCleanup)
	add(s, operation{method: http.MethodPut, path: path, id: "set-cleanup", tag: "repositories", summary: "Set the cleanup rule", about: "One of zeros takes it away."}, s.setCleanup)
	add(s, operation{method: http.MethodPost, path: path + "/preview", id: "preview-cleanup", tag: "repositories",
		summary: "Show what a cleanup rule would delete, and what that frees", about: "Nothing is changed."}, s.previewCleanup)
	add(s, operation{method: http.MethodPost, path: path + "/run", id: "run-cleanup", tag: "repositories", summary: "Apply the cleanup rule now"}, s.runCleanup)
}

func (s *API) getCleanup(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[cleanupRule], error) {
	p, err := s.policy(ctx, c)
	return &wholly[cleanupRule]{shownRule(p.Cleanup)}, err
}

func (s *API) setCleanup(ctx context.Context, c *call, in *ruleIn) (*written, error) {
	return s.changePolicy(ctx, c, func(p *events.RepositoryPolicy) {
		p.Cleanup = nil
		if rule := in.Body.event(); !in.Body.empty() {
			p.Cleanup = &rule
		}
	})
}

func (s *API) previewCleanup(ctx context.Context, c *call, in *previewIn) (*wholly[cleanup.Preview], error) {
	repo, rule, err := s.ruleOf(ctx, c, in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.Cleaner.Preview(ctx, *repo, rule, c.p.Admin)
	return &wholly[cleanup.Preview]{p}, err
}

// ruleOf is a rule to try on the call's repository, or its own.
func (s *API) ruleOf(ctx context.Context, c *call, try *cleanupRule) (*images.Repository, events.Cleanup, error) {
	repo, err := s.Images.Repository(ctx, c.repo.Name)
	if err != nil {
		return nil, events.Cleanup{}, err
	}
	switch {
	case try != nil:
		rule := try.event()
		return repo, rule, repository.CheckPolicy(events.RepositoryPolicy{Cleanup: &rule})
	case repo.Policy.Cleanup == nil:
		return repo, events.Cleanup{}, nil
	}
	return repo, *repo.Policy.Cleanup, nil
}

// cleanupTime bounds a run that a client waits for; the rest goes the next time.
const cleanupTime = time.Minute

func (s *API) runCleanup(ctx context.Context, c *call, _ *RepositoryPath) (*wrote[cleaned], error) {
	repo, err := s.Images.Repository(ctx, c.repo.Name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	done, err := s.Cleaner.Run(ctx, *repo)
	if err != nil {
		return nil, err
	}
	seq, err := s.Log.LastSeq(ctx)
	if err == nil {
		err = s.settle(ctx, seq)
	}
	return &wrote[cleaned]{seq, cleaned{done.Tags, done.Manifests, seq}}, err
}
