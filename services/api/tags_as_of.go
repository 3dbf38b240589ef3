package api

import (
	"context"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// listTagsAsOf lists what tags named at an earlier time, to who may read the repository
// today.
func (s *API) listTagsAsOf(ctx context.Context, c *endpoint.Call, in *listTagsIn) (*openapi.List[apitypes.Tag], error) {
	if in.Sort != "name" || in.Q != "" {
		return nil, endpoint.Fail(http.StatusUnprocessableEntity, "tags as of an earlier time are listed by name").At("query.as_of", "is given together with sort or q: leave those out")
	}
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	seq, err := s.lastAt(ctx, in.AsOf)
	if err != nil {
		return nil, err
	}
	list, err := s.Images.TagsAsOf(ctx, c.Repository.ID, last, seq, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views, err := s.pastTags(ctx, c, list)
	if err != nil {
		return nil, err
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.Tag) string { return openapi.CursorAt(v.Name) }), nil
}

func (s *API) getTagAsOf(ctx context.Context, c *endpoint.Call, in *getTagIn) (*openapi.Answer[apitypes.Tag], error) {
	seq, err := s.lastAt(ctx, in.AsOf)
	if err != nil {
		return nil, err
	}
	t, err := s.Images.TagAsOf(ctx, c.Repository.ID, in.Tag, seq)
	if err != nil {
		return nil, err
	}
	views, err := s.pastTags(ctx, c, []images.PastTag{*t})
	if err != nil {
		return nil, err
	}
	return openapi.Show(views[0]), nil
}

// lastAt is the sequence of the event that was the last at a time as a client writes it.
func (s *API) lastAt(ctx context.Context, text string) (uint64, error) {
	p, err := asof.Parse(text)
	if err != nil {
		return 0, endpoint.Located(err, "query.as_of", asof.ErrPoint)
	}
	seq, err := s.Times.Last(ctx, p)
	return seq, endpoint.Located(err, "query.as_of", asof.ErrFuture)
}

func (s *API) pastTags(ctx context.Context, c *endpoint.Call, list []images.PastTag) ([]apitypes.Tag, error) {
	ds := make([]digest.Digest, len(list))
	for k, t := range list {
		ds[k] = t.Digest
	}
	known, err := s.Images.Fates(ctx, c.Repository.ID, ds)
	if err != nil {
		return nil, err
	}
	sweeps := map[uint64]*time.Time{}
	views := make([]apitypes.Tag, len(list))
	for k, t := range list {
		now := s.fateOf(ctx, known[t.Digest], sweeps)
		views[k] = apitypes.Tag{Name: t.Name, Digest: t.Digest.String(), MediaType: known[t.Digest].MediaType, Pushed: t.Pushed, By: t.By, Seq: t.Seq,
			Same: []string{}, Images: []apitypes.Image{}, Now: &now}
	}
	return views, nil
}
