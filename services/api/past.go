package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/image"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/repository"
)

type tagHistoryIn struct {
	TagPath
	openapi.Paging
}

type rollbackIn struct {
	TagPath
	Body apitypes.RollbackRequest
}

func (s *API) registerPast() {
	const tag = repositoryPath + "/tags/{tag}"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: tag + "/history", ID: "list-tag-history", Tag: "tags", Permission: access.RepositoryRead, Cost: budget.List,
		Summary: "List which images a tag has named, and when", About: "Most recent first, also for a deleted tag. A push of the image that the tag names already makes no new entry."}, s.listTagHistory)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: tag + "/rollback", ID: "roll-back-tag", Tag: "tags", Permission: access.RepositoryWrite, Cost: budget.Write,
		Summary: "Roll a tag back to an image that it named before", About: "It works like a push of that image: an immutable tag does not move, and nothing is recorded if the tag names the image already. " +
			"A deleted image must be restored first."}, s.rollBackTag)
}

func (s *API) rollBackTag(ctx context.Context, c *endpoint.Call, in *rollbackIn) (*openapi.Change, error) {
	to, err := digestAt("body.to", in.Body.To)
	if err != nil {
		return nil, err
	}
	var from digest.Digest
	if in.Body.From != "" {
		if from, err = digestAt("body.from", in.Body.From); err != nil {
			return nil, err
		}
	}
	seq, err := s.Registry.RollBack(ctx, c.By(), c.Repository.Name, in.Tag, to, from)
	return s.Changed(ctx, seq, endpoint.Located(err, "body.to", image.ErrNeverNamed))
}

func (s *API) listTagHistory(ctx context.Context, c *endpoint.Call, in *tagHistoryIn) (*openapi.List[apitypes.TagSpan], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	if !repository.ValidTag(in.Tag) {
		return nil, endpoint.NotFound()
	}
	spans, more, err := s.Images.TagHistory(ctx, c.Repository.ID, in.Tag, before, in.Limit)
	if err != nil {
		return nil, err
	}
	if len(spans) == 0 && before == 0 {
		return nil, fmt.Errorf("tag %s: %w", in.Tag, images.ErrNotFound)
	}
	ds := make([]digest.Digest, len(spans))
	for k, t := range spans {
		ds[k] = t.Digest
	}
	fates, err := s.fates(ctx, c.Repository.ID, ds)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.TagSpan, len(spans))
	for k, t := range spans {
		views[k] = apitypes.TagSpan{Seq: t.Seq, Digest: t.Digest.String(), Deleted: t.Deleted, From: t.From, By: t.By, Until: apitypes.Known(t.Until), Ended: t.UntilSeq, Hidden: t.Hidden, Now: fates[t.Digest]}
	}
	out := openapi.WholeList(views)
	if more && len(spans) > 0 {
		out.Continue(c, openapi.CursorAtSequence(spans[len(spans)-1].Seq))
	}
	return out, nil
}
