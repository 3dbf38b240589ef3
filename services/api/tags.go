package api

import (
	"context"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/api/browse"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/image"
	"hubledger/services/internal/openapi"
)

func shownTag(t images.TagDetail, pulls browse.Pulls) apitypes.Tag {
	n := pulls.Of(t)
	v := apitypes.Tag{Name: t.Name, Digest: t.Digest.String(), MediaType: t.MediaType, Size: t.Size, Pushed: t.Pushed, By: t.By,
		Pulls: n.Pulls, Pulled: apitypes.Known(n.LastPulled), Images: make([]apitypes.Image, 0, len(t.Images))}
	for _, m := range t.Images {
		if m.Attestation {
			continue // it is not for a platform
		}
		v.Images = append(v.Images, apitypes.Image{Digest: m.Digest.String(), OS: m.Platform.OS, Architecture: m.Platform.Architecture, Variant: m.Platform.Variant, Size: m.Size})
	}
	return v
}

type tagIn struct {
	openapi.RepositoryPath
	Tag string `path:"tag" maxLength:"128" doc:"Name of the tag"`
}

type listTagsIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

type manifestIn struct {
	openapi.RepositoryPath
	Digest string `path:"digest" maxLength:"150" doc:"sha256:… or sha512:…"`
}

func (s *API) registerTags() {
	const path = repositoryPath + "/tags"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-tags", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.List, Summary: "List the tags of a repository", About: "By name."}, s.listTags)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{tag}", ID: "get-tag", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show a tag"}, s.getTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{tag}", ID: "delete-tag", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write,
		Summary: "Delete a tag", About: "What it names stays until a cleanup rule or a deletion takes it."}, s.deleteTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/{tag}/restore", ID: "restore-tag", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write, Summary: "Undo the deletion of a tag"}, s.restoreTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: repositoryPath + "/manifests/{digest}/restore", ID: "restore-manifest", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write,
		Summary: "Undo the deletion of a manifest", About: "Tags that named it are there again."}, s.restoreManifest)
}

func (s *API) listTags(ctx context.Context, c *endpoint.Call, in *listTagsIn) (*openapi.List[apitypes.Tag], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	tags, err := s.Images.TagDetails(ctx, c.Repository.ID, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	pulls, err := s.browse.TagPulls(ctx, c.Repository.ID, tags...)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Tag, len(tags))
	for i, t := range tags {
		views[i] = shownTag(t, pulls)
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Tag) string { return openapi.CursorAt(v.Name) }), nil
}

func (s *API) getTag(ctx context.Context, c *endpoint.Call, in *tagIn) (*openapi.Answer[apitypes.Tag], error) {
	t, err := s.Images.TagDetail(ctx, c.Repository.ID, in.Tag)
	if err != nil {
		return nil, err
	}
	pulls, err := s.browse.TagPulls(ctx, c.Repository.ID, *t)
	return openapi.Show(shownTag(*t, pulls)), err
}

func (s *API) deleteTag(ctx context.Context, c *endpoint.Call, in *tagIn) (*openapi.Change, error) {
	seq, err := image.DeleteLiveTag(ctx, s.Log, c.By(), s.Images, c.RepositoryID(), c.Repository.Name, in.Tag)
	return s.Changed(ctx, seq, err)
}

func (s *API) restoreTag(ctx context.Context, c *endpoint.Call, in *tagIn) (*openapi.Change, error) {
	if err := image.MayRestoreTag(ctx, s.Images, c.Repository.ID, in.Tag); err != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreTag(ctx, c.By(), c.Repository.Name, in.Tag)
	return s.Changed(ctx, seq, err)
}

func (s *API) restoreManifest(ctx context.Context, c *endpoint.Call, in *manifestIn) (*openapi.Change, error) {
	d, err := digest.Parse(in.Digest)
	if err != nil {
		return nil, endpoint.Invalid("path.digest", "a digest is sha256:<64 hex digits> or sha512:<128 hex digits>")
	}
	seq, err := s.Registry.RestoreManifest(ctx, c.By(), c.Repository.Name, d)
	return s.Changed(ctx, seq, err)
}
