package api

import (
	"context"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type listTrashIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

func (s *API) registerTrash() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/trash", ID: "list-trash", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.Search,
		Summary: "List deleted tags and images of a repository", About: "Most recently deleted first. Lists also what can no longer be restored, but not what was pushed again."}, s.listTrash)
}

// maxBack bounds the tags that are named which come back with an image.
const maxBack = 20

func (s *API) listTrash(ctx context.Context, c *endpoint.Call, in *listTrashIn) (*openapi.List[apitypes.Trashed], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	repo := c.Repository.ID
	all, err := s.Images.Trash(ctx, repo, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	ds := make([]digest.Digest, len(all))
	for k, d := range all {
		ds[k] = d.Digest
	}
	fates, err := s.fates(ctx, repo, ds)
	if err != nil {
		return nil, err
	}
	hidden, err := s.Images.TagsHidden(ctx, repo, ds)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Trashed, len(all))
	for k, d := range all {
		v := apitypes.Trashed{Kind: "tag", Tag: d.Tag, Digest: d.Digest.String(), Seq: d.Seq, Deleted: d.Time, By: d.By, Tags: []string{}, Fate: fates[d.Digest]}
		if d.Tag == "" {
			v.Kind, v.By, v.Tags = "image", s.actorOf(ctx, d.Seq), append(v.Tags, hidden[d.Digest]...)
			if n := len(v.Tags) - maxBack; n > 0 {
				v.Tags, v.MoreTags = v.Tags[:maxBack], n
			}
		} else {
			v.NeedsImage = v.Fate.State == fateDeleted
			v.Fate = sooner(v.Fate, s.restorable(d.Time))
		}
		views[k] = v
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Trashed) string { return openapi.CursorAtSequence(v.Seq) }), nil
}

// What has become of an image that was pushed.
const fateThere, fateDeleted, fateGone = "there", "deleted", "gone"

// fates says what has become of manifests.
func (s *API) fates(ctx context.Context, repo string, ds []digest.Digest) (map[digest.Digest]apitypes.Fate, error) {
	known, err := s.Images.Fates(ctx, repo, ds)
	if err != nil {
		return nil, err
	}
	sweeps := map[uint64]*time.Time{}
	all := map[digest.Digest]apitypes.Fate{}
	for _, d := range ds {
		all[d] = s.fateOf(ctx, known[d], sweeps)
	}
	return all, nil
}

func (s *API) fateOf(ctx context.Context, f images.Fate, sweeps map[uint64]*time.Time) apitypes.Fate {
	switch {
	case f.Live():
		return apitypes.Fate{State: fateThere}
	case f.Swept == 0:
		return s.restorable(f.Deletion.Time)
	}
	at, known := sweeps[f.Swept]
	if !known {
		if e, err := s.Log.Get(ctx, f.Swept); err == nil {
			at = apitypes.Known(e.Time())
		} else {
			s.Logger.Warn("when an image was swept cannot be read in the log", "event", f.Swept, "error", err)
		}
		sweeps[f.Swept] = at
	}
	return apitypes.Fate{State: fateGone, Swept: f.Swept, Since: at}
}

// restorable is the fate of what was deleted at that time, and of which all is there.
func (s *API) restorable(deleted time.Time) apitypes.Fate {
	end := deleted.Add(s.UndeleteWindow)
	if time.Now().After(end) {
		return apitypes.Fate{State: fateGone, Since: &end}
	}
	return apitypes.Fate{State: fateDeleted, Until: &end}
}

// sooner is the fate of a tag by that of its image and by that of its own name.
func sooner(image, tag apitypes.Fate) apitypes.Fate {
	if image.State == fateGone || image.State == fateDeleted && tag.State == fateDeleted && image.Until.Before(*tag.Until) {
		return image
	}
	return tag
}

// actorOf is the login name of whose event that was, "" when the log cannot be read.
func (s *API) actorOf(ctx context.Context, seq uint64) string {
	e, err := s.Log.Get(ctx, seq)
	if err != nil {
		s.Logger.Warn("who deleted an image cannot be read in the log", "event", seq, "error", err)
		return ""
	}
	return e.Actor()
}
