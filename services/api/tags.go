package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

type tagView struct {
	Name      string      `json:"name" example:"1.0" doc:"Of the tag"`
	Digest    string      `json:"digest" example:"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" doc:"Of the manifest that it names"`
	MediaType string      `json:"mediaType" doc:"Of that manifest"`
	Size      int64       `json:"size" doc:"In bytes, of what a pull fetches at most; 0 when not known"`
	Pushed    time.Time   `json:"pushed" doc:"When it was pushed or restored last"`
	By        string      `json:"by" doc:"Login name of who pushed it"`
	Pulls     int64       `json:"pulls" doc:"Fetches of its manifest by this tag"`
	Pulled    *time.Time  `json:"pulled,omitempty" doc:"Last pull by this tag"`
	Images    []imageView `json:"images" nullable:"false" doc:"For each platform that is there"`
}

type imageView struct {
	Digest       string `json:"digest" doc:"Of the image for this platform"`
	OS           string `json:"os,omitempty" doc:"Such as linux; absent when not known"`
	Architecture string `json:"architecture,omitempty" doc:"Such as amd64; absent when not known"`
	Variant      string `json:"variant,omitempty" doc:"Such as v8"`
	Size         int64  `json:"size" doc:"In bytes"`
}

func shownTag(t images.TagDetail, pulls catalog.TagPulls) tagView {
	v := tagView{Name: t.Name, Digest: t.Digest.String(), MediaType: t.MediaType, Size: t.Size, Pushed: t.Pushed, By: t.By,
		Pulls: pulls.Pulls, Pulled: known(pulls.LastPulled), Images: make([]imageView, len(t.Images))}
	for i, m := range t.Images {
		v.Images[i] = imageView{m.Digest.String(), m.Platform.OS, m.Platform.Architecture, m.Platform.Variant, m.Size}
	}
	return v
}

type tagIn struct {
	RepositoryPath
	Tag string `path:"tag" maxLength:"128" doc:"Name of the tag"`
}

type listTagsIn struct {
	RepositoryPath
	Paging
}

type manifestIn struct {
	RepositoryPath
	Digest string `path:"digest" maxLength:"150" doc:"sha256:… or sha512:…"`
}

func (s *API) registerTags() {
	const path = repositoryPath + "/tags"
	add(s, operation{method: http.MethodGet, path: path, id: "list-tags", tag: "tags", summary: "List the tags of a repository", about: "By name."}, s.listTags)
	add(s, operation{method: http.MethodGet, path: path + "/{tag}", id: "get-tag", tag: "tags", summary: "Show a tag"}, s.getTag)
	add(s, operation{method: http.MethodDelete, path: path + "/{tag}", id: "delete-tag", tag: "tags",
		summary: "Delete a tag", about: "What it names stays until a cleanup rule or a deletion takes it."}, s.deleteTag)
	add(s, operation{method: http.MethodPost, path: path + "/{tag}/restore", id: "restore-tag", tag: "tags", summary: "Undo the deletion of a tag"}, s.restoreTag)
	add(s, operation{method: http.MethodPost, path: repositoryPath + "/manifests/{digest}/restore", id: "restore-manifest", tag: "tags",
		summary: "Undo the deletion of a manifest", about: "Tags that named it are there again."}, s.restoreManifest)
}

func (s *API) listTags(ctx context.Context, c *call, in *listTagsIn) (*list[tagView], error) {
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	tags, err := s.Images.TagDetails(ctx, c.repo.ID, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	pulls, err := s.tagPulls(ctx, c.repo.ID)
	if err != nil {
		return nil, err
	}
	views := make([]tagView, len(tags))
	for i, t := range tags {
		views[i] = shownTag(t, pulls[t.Name])
	}
	return pageOf(c, views, in.Limit, func(v tagView) string { return cursorAt(v.Name) }), nil
}

func (s *API) getTag(ctx context.Context, c *call, in *tagIn) (*wholly[tagView], error) {
	t, err := s.Images.TagDetail(ctx, c.repo.ID, in.Tag)
	if err != nil {
		return nil, err
	}
	pulls, err := s.tagPulls(ctx, c.repo.ID)
	return &wholly[tagView]{shownTag(*t, pulls[t.Name])}, err
}

// tag is a live tag of the call's repository.
func (s *API) tag(ctx context.Context, c *call, name string) (*images.TagDetail, error) {
	if !repository.ValidTag(name) {
		return nil, notFound()
	}
	return s.Images.TagDetail(ctx, c.repo.ID, name)
}

func (s *API) deleteTag(ctx context.Context, c *call, in *tagIn) (*written, error) {
	seq, err := s.dropTag(ctx, c, in.Tag)
	return s.done(ctx, seq, err)
}

// dropTag deletes a tag of the call's repository. One whose manifest was
// deleted is not there, though the tag's own last event says nothing of it.
func (s *API) dropTag(ctx context.Context, c *call, tag string) (uint64, error) {
	if !repository.ValidTag(tag) {
		return 0, notFound()
	}
	if _, err := s.Images.TagDetail(ctx, c.repo.ID, tag); err != nil {
		return 0, err
	}
	repo, err := s.Images.Repository(ctx, c.repo.Name)
	if err != nil {
		return 0, err
	}
	seq, err := image.DeleteTag(ctx, s.Log, by(c.p), c.id(), repo.Policy, tag)
	var immutable *image.ImmutableError
	if errors.As(err, &immutable) {
		return 0, fail(http.StatusConflict, immutable.Error()).because(err)
	}
	return seq, err
}

func (s *API) restoreTag(ctx context.Context, c *call, in *tagIn) (*written, error) {
	d, _, err := s.Images.DeletedTag(ctx, c.repo.ID, in.Tag)
	if err == nil {
		_, err = s.Images.Manifest(ctx, c.repo.ID, d)
		if errors.Is(err, images.ErrNotFound) {
			return nil, fail(http.StatusConflict, "the tag named "+d.String()+", which was deleted as well: restore that first").because(err)
		}
	}
	if ignoreMissing(err) != nil {
		return nil, err
	}
	seq, err := s.Registry.RestoreTag(ctx, by(c.p), c.repo.Name, in.Tag)
	return s.done(ctx, seq, err)
}

func (s *API) restoreManifest(ctx context.Context, c *call, in *manifestIn) (*written, error) {
	d, err := digest.Parse(in.Digest)
	if err != nil {
		return nil, invalid("path.digest", "a digest is sha256:<64 hex digits> or sha512:<128 hex digits>")
	}
	seq, err := s.Registry.RestoreManifest(ctx, by(c.p), c.repo.Name, d)
	return s.done(ctx, seq, err)
}
