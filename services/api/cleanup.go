package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

func eventOf(r apitypes.CleanupRule) events.Cleanup {
	return events.Cleanup{KeepLast: r.KeepLast, KeepTags: r.KeepTags, NotPulledDays: r.NotPulledDays, UntaggedDays: r.UntaggedDays}
}

func shownRule(c *events.Cleanup) apitypes.CleanupRule {
	if c == nil {
		return apitypes.CleanupRule{KeepTags: []string{}}
	}
	return apitypes.CleanupRule{KeepLast: c.KeepLast, KeepTags: append([]string{}, c.KeepTags...), NotPulledDays: c.NotPulledDays, UntaggedDays: c.UntaggedDays}
}

type ruleIn struct {
	openapi.RepositoryPath
	Body apitypes.CleanupRule
}

type previewIn struct {
	openapi.RepositoryPath
	Body *apitypes.CleanupRule `doc:"A rule to try; absent: the repository's own"`
}

func (s *API) registerCleanup() {
	const path = repositoryPath + "/cleanup"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "get-cleanup", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show the cleanup rule", About: "A rule of zeros deletes nothing."}, s.getCleanup)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path, ID: "set-cleanup", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write, Summary: "Set the cleanup rule", About: "A rule of zeros removes it."}, s.setCleanup)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/preview", ID: "preview-cleanup", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Heavy,
		Summary: "Show what a cleanup rule would delete, and what that frees", About: "Nothing is changed."}, s.previewCleanup)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: repositoryPath + "/deletion-preview", ID: "preview-deletion", Tag: "repositories", Permission: access.RepositoryDelete, Cost: budget.Heavy,
		Summary: "Show what deleting tags, or the repository, frees, and when", About: "Nothing is changed."}, s.previewDeletion)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/usage/images", ID: "get-images-usage", Tag: "repositories", Permission: access.RepositoryWrite, Cost: budget.Heavy,
		Summary: "Show how much storage each image uses, and what deleting it frees"}, s.getImagesUsage)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/run", ID: "run-cleanup", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Heavy, Summary: "Apply the cleanup rule now"}, s.runCleanup)
}

type deletionPreviewIn struct {
	openapi.RepositoryPath
	Body apitypes.DeletionPreviewRequest
}

func (s *API) previewDeletion(ctx context.Context, c *endpoint.Call, in *deletionPreviewIn) (*openapi.Answer[apitypes.DeletionPreview], error) {
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return nil, err
	}
	p, err := s.Cleaner.PreviewDeletion(ctx, *repo, in.Body.Tags, c.Principal.Administers())
	return openapi.Show(p), err
}

// maxImagesUsage bounds the images of which is said what they take.
const maxImagesUsage = 50

func (s *API) getImagesUsage(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.ImagesUsage], error) {
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return nil, err
	}
	u, err := s.Cleaner.ByImage(ctx, *repo, c.Principal.Administers(), maxImagesUsage)
	return openapi.Show(u), err
}

func (s *API) getCleanup(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.CleanupRule], error) {
	seq := s.latest(ctx, c)
	p, err := s.policy(ctx, c)
	rule := shownRule(p.Cleanup)
	rule.Seq = &seq
	return openapi.Show(rule), err
}

func (s *API) setCleanup(ctx context.Context, c *endpoint.Call, in *ruleIn) (*openapi.Change, error) {
	return s.changePolicy(ctx, c, in.Body.Seq, func(p *events.RepositoryPolicy) {
		p.Cleanup = nil
		if rule := eventOf(in.Body); in.Body.Deletes() {
			p.Cleanup = &rule
		}
	})
}

func (s *API) previewCleanup(ctx context.Context, c *endpoint.Call, in *previewIn) (*openapi.Answer[apitypes.CleanupPreview], error) {
	repo, rule, err := s.ruleOf(ctx, c, in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.Cleaner.Preview(ctx, *repo, rule, c.Principal.Administers())
	return openapi.Show(p), err
}

// ruleOf is the call's repository with the rule to preview: try, or else its own.
func (s *API) ruleOf(ctx context.Context, c *endpoint.Call, try *apitypes.CleanupRule) (*images.Repository, events.Cleanup, error) {
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return nil, events.Cleanup{}, err
	}
	switch {
	case try != nil:
		rule := eventOf(*try)
		return repo, rule, atSetting(repository.CheckPolicy(events.RepositoryPolicy{Cleanup: &rule}))
	case repo.Policy.Cleanup == nil:
		return repo, events.Cleanup{}, nil
	}
	return repo, *repo.Policy.Cleanup, nil
}

// cleanupTime bounds a run that a client waits for; the next run does the rest.
const cleanupTime = time.Minute

func (s *API) runCleanup(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.ChangeWith[apitypes.CleanupRun], error) {
	repo, err := s.Images.Repository(ctx, c.Repository.Name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	done, err := s.Cleaner.Run(ctx, c.By(), *repo)
	if err != nil {
		return nil, err
	}
	seq, err := s.Log.LastSeq(ctx)
	if err == nil {
		err = s.Readable(ctx, seq)
	}
	return openapi.ShowChange(seq, apitypes.CleanupRun{Tags: done.Tags, Manifests: done.Manifests, Seq: seq}), err
}
