package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"hubledger/services/api/taglist"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

type changeRepositoryIn struct {
	openapi.RepositoryPath
	Body apitypes.ChangeRepositoryRequest
}

type createRepositoryIn struct {
	Body apitypes.CreateRepositoryRequest
}

const repositoryPath = "/repositories/{namespace}/{name}"

func (s *API) registerRepository() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/repositories", ID: "create-repository", Tag: "repositories", Permission: access.SignedIn, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Make an empty repository", About: "A push makes one as well."}, s.createRepository)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath, ID: "get-repository", Tag: "repositories", Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show a repository"}, s.getRepository)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPatch, Path: repositoryPath, ID: "change-repository", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Describe a repository, open or close it", About: "What is absent stays."}, s.changeRepository)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: repositoryPath, ID: "delete-repository", Tag: "repositories", Permission: access.RepositoryAdmin, Cost: budget.Write,
		Summary: "Delete a repository with all it has", About: "It can be restored until the undelete window ends."}, s.deleteRepository)
}

func (s *API) getRepository(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.RepositoryDetails], error) {
	page := apitypes.RepositoryDetails{Level: c.Level.Name()}
	if c.Level >= access.Admin { // who may change it
		page.Seq = s.latest(ctx, c)
	}
	e, err := s.browse.Entry(ctx, c.Repository.ID)
	if err != nil {
		return nil, err
	}
	page.Repository = shownEntry(*e)
	if page.Readme, err = s.Catalog.Readme(ctx, c.Repository.ID); err != nil {
		return nil, err
	}
	if c.Principal.Kind == access.User {
		if page.Starred, err = s.Catalog.HasStar(ctx, c.Repository.ID, c.Principal.ID); err != nil {
			return nil, err
		}
	}
	tags, err := s.tags.Of(ctx, c.Repository.ID)
	switch {
	case err == nil:
		page.Tags, page.PullTag = tags.Len(), tags.Preferred()
		if page.PullTag != "" {
			page.PullArtifact, err = s.Images.ArtifactOf(ctx, c.Repository.ID, page.PullTag)
		}
	case errors.Is(err, taglist.ErrTooMany):
		page.Tags, err = s.Images.CountTags(ctx, c.Repository.ID, "")
	}
	return openapi.Show(page), err
}

func (s *API) createRepository(ctx context.Context, c *endpoint.Call, in *createRepositoryIn) (*openapi.ChangeWith[apitypes.CreatedRepository], error) {
	id, seq, err := repository.Create(ctx, s.Log, c.By(), s.Rights, c.Principal, repository.New{Name: in.Body.Name, Visibility: cmp.Or(in.Body.Visibility, s.DefaultVisibility),
		Description: repository.Description{Line: in.Body.Description, Readme: in.Body.Readme, Topics: in.Body.Topics}})
	if err == nil {
		err = s.Readable(ctx, seq)
	}
	if err != nil {
		return nil, endpoint.Located(atSetting(err), "body.name", repository.ErrName)
	}
	e, err := s.Catalog.Entry(ctx, id.Repository)
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.CreatedRepository{Repository: shownEntry(*e), Seq: seq}), nil
}

func (s *API) changeRepository(ctx context.Context, c *endpoint.Call, in *changeRepositoryIn) (*openapi.Change, error) {
	want, editor := in.Body, s.editor.Seeing(in.Body.Seq)
	var seq uint64
	if want.Description != nil || want.Readme != nil || want.Topics != nil {
		var err error
		seq, err = editor.Describe(ctx, c.By(), c.RepositoryID(), c.Repository.Name,
			repository.DescriptionChange{Line: want.Description, Readme: want.Readme, Topics: want.Topics})
		if err != nil {
			return nil, atSetting(s.Outcome(ctx, seq, err))
		}
		if in.Body.Seq != nil {
			editor = editor.Seeing(&seq)
		}
	}
	if want.Visibility != "" {
		var err error
		if seq, err = editor.ChangeVisibility(ctx, c.By(), c.RepositoryID(), c.Repository.Name, want.Visibility); err != nil {
			return nil, s.Outcome(ctx, seq, err)
		}
	}
	if seq == 0 {
		return nil, endpoint.Invalid("body", "say what to change")
	}
	return s.Changed(ctx, seq, nil)
}

// atSetting names the field of the request that a setting which is not allowed is in.
func atSetting(err error) error {
	var bad *repository.SettingError
	if errors.As(err, &bad) {
		return endpoint.Invalid("body."+bad.Setting, bad.Error()).Because(err)
	}
	return err
}

func (s *API) deleteRepository(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Change, error) {
	seq, err := s.Registry.DeleteRepository(ctx, c.By(), c.Repository.Name)
	return s.Changed(ctx, seq, err)
}
