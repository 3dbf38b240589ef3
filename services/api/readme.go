package api

import (
	"context"
	"net/http"
	"slices"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

type activityIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

type previewReadmeIn struct {
	openapi.RepositoryPath
	Body apitypes.PreviewReadmeRequest
}

func (s *API) registerReading() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/readme", ID: "get-readme", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Search,
		Summary: "Show the README as HTML", About: "GitHub Flavored Markdown with footnotes; headings have the ids of GitHub, with the prefix user-content-; scripts, styles, forms and images that are not over https are left out. Relative links lead to the git repository that the image of the tag to pull names, as annotation or label org.opencontainers.image.source and .revision, on GitHub, GitLab, Bitbucket, Codeberg, Gitea and Forgejo."}, s.getReadme)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: repositoryPath + "/readme/preview", ID: "preview-readme", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Search,
		Summary: "Show as HTML what a README would look like", About: "Nothing is changed."}, s.previewReadme)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/activity", ID: "get-activity", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Read,
		Summary: "List what happened to a repository", About: "The latest first. Who may not write sees of a public repository what happened since it was made public."}, s.getActivity)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: repositoryPath + "/star", ID: "star", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Write, Summary: "Star a repository"}, s.star)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: repositoryPath + "/star", ID: "unstar", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Write, Summary: "Remove your star"}, s.unstar)
}

func (s *API) getReadme(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.Readme], error) {
	source, err := s.Catalog.Readme(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	return s.renderReadme(ctx, c, source)
}

func (s *API) previewReadme(ctx context.Context, c *endpoint.Call, in *previewReadmeIn) (*openapi.Answer[apitypes.Readme], error) {
	if err := (repository.Description{Readme: in.Body.Readme}).Check(); err != nil {
		return nil, atSetting(err)
	}
	return s.renderReadme(ctx, c, in.Body.Readme)
}

func (s *API) renderReadme(ctx context.Context, c *endpoint.Call, source string) (*openapi.Answer[apitypes.Readme], error) {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	base, err := s.baseOf(ctx, c, source)
	if err != nil {
		return nil, err
	}
	html, err := s.markdown.HTML(ctx, c.Repository.ID, source, base)
	return openapi.Show(apitypes.Readme{HTML: html}), err
}

func (s *API) getActivity(ctx context.Context, c *endpoint.Call, in *activityIn) (*openapi.List[apitypes.Activity], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Catalog.Activity(ctx, c.Repository.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	since, err := s.publicSince(ctx, c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a catalog.Activity) bool { return a.Seq < since })
	views := make([]apitypes.Activity, len(all))
	for i, a := range all {
		views[i] = shownActivity(a)
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Activity) string { return openapi.CursorAtSequence(v.Seq) }), nil
}

// publicSince is the sequence since which the caller may see the activity of the
// repository, 0 for all of it. A public repository may have been private before;
// that part of its activity is for those who may write there. Readers of a
// private repository were given that right, and see all.
func (s *API) publicSince(ctx context.Context, c *endpoint.Call) (uint64, error) {
	if c.Level >= access.Write || c.Repository.Visibility != events.Public {
		return 0, nil
	}
	return s.Catalog.PublicSince(ctx, c.Repository.ID)
}

func shownActivity(a catalog.Activity) apitypes.Activity {
	return apitypes.Activity{Seq: a.Seq, Time: a.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), Actor: a.Actor, Kind: a.Kind, What: a.What}
}

func (s *API) star(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Change, error) {
	return s.setStar(ctx, c, true)
}

func (s *API) unstar(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Change, error) {
	return s.setStar(ctx, c, false)
}

func (s *API) setStar(ctx context.Context, c *endpoint.Call, give bool) (*openapi.Change, error) {
	seq, err := repository.SetStar(ctx, s.Log, c.By(), c.Principal, c.RepositoryID(), give)
	return s.Changed(ctx, seq, err)
}
