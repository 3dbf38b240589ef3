package api

import (
	"context"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/image"
	"hubledger/services/internal/openapi"
)

// TagPath names a tag.
type TagPath struct {
	openapi.RepositoryPath
	Tag string `path:"tag" maxLength:"128" doc:"Name of the tag"`
}

type listTagsIn struct {
	openapi.RepositoryPath
	openapi.Paging
	Sort string `query:"sort" enum:"name,version,pushed,size,pulls" default:"name" doc:"version: newest first, 1.10 before 1.9; the others but name: the latest, largest, most first"`
	Q    string `query:"q" maxLength:"128" doc:"Only tags with this text in their name"`
	AsOf string `query:"as_of" maxLength:"40" doc:"What tags named at that time, such as 2026-11-01T12:00:00Z, or when the event of that sequence was the last, such as s12345; by name only, without q"`
}

type getTagIn struct {
	TagPath
	AsOf string `query:"as_of" maxLength:"40" doc:"What the tag named at that time, such as 2026-11-01T12:00:00Z, or when the event of that sequence was the last, such as s12345"`
}

type deleteTagIn struct {
	TagPath
	Digest string `query:"digest" maxLength:"150" doc:"Delete it only if it names this manifest; 409 when it was moved meanwhile"`
}

type manifestIn struct {
	openapi.RepositoryPath
	Digest string `path:"digest" maxLength:"150" doc:"sha256:… or sha512:…"`
}

func (s *API) registerTags() {
	const path = repositoryPath + "/tags"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-tags", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.List, Summary: "List the tags of a repository", About: "A repository with more than 100,000 tags is listed by name only, without q."}, s.listTags)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/{tag}", ID: "get-tag", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.Read, Summary: "Show a tag"}, s.getTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{tag}", ID: "delete-tag", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write,
		Summary: "Delete a tag", About: "The image stays until a cleanup rule or a deletion removes it."}, s.deleteTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: path + "/{tag}/restore", ID: "restore-tag", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write, Summary: "Undo the deletion of a tag"}, s.restoreTag)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: repositoryPath + "/manifests/{digest}", ID: "delete-manifest", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write,
		Summary: "Delete a manifest, with the tags that name it", About: "It can be restored within the undelete window. Refused for what a release or an immutable tag needs."}, s.deleteManifest)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: repositoryPath + "/manifests/{digest}/restore", ID: "restore-manifest", Tag: "tags", Permission: access.RepositoryDelete, Cost: budget.Write,
		Summary: "Undo the deletion of a manifest", About: "Tags that named it are restored, too."}, s.restoreManifest)
}

func (s *API) deleteTag(ctx context.Context, c *endpoint.Call, in *deleteTagIn) (*openapi.Change, error) {
	var only digest.Digest
	if in.Digest != "" {
		var err error
		if only, err = digestAt("query.digest", in.Digest); err != nil {
			return nil, err
		}
	}
	seq, err := image.DeleteLiveTag(ctx, s.Log, c.By(), s.Images, c.RepositoryID(), c.Repository.Name, in.Tag, only)
	return s.Changed(ctx, seq, err)
}

func (s *API) deleteManifest(ctx context.Context, c *endpoint.Call, in *manifestIn) (*openapi.Change, error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	seq, err := image.DeleteLiveManifest(ctx, s.Log, c.By(), s.Images, c.RepositoryID(), c.Repository.Name, d)
	return s.Changed(ctx, seq, err)
}

func (s *API) restoreTag(ctx context.Context, c *endpoint.Call, in *TagPath) (*openapi.Change, error) {
	if err := image.MayRestoreTag(ctx, s.Images, c.Repository.ID, in.Tag); err != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreTag(ctx, c.By(), c.Repository.Name, in.Tag)
	return s.Changed(ctx, seq, err)
}

func (s *API) restoreManifest(ctx context.Context, c *endpoint.Call, in *manifestIn) (*openapi.Change, error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreManifest(ctx, c.By(), c.Repository.Name, d)
	return s.Changed(ctx, seq, err)
}
