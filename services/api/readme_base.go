package api

import (
	"context"
	"errors"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/projections/images"
	"hubledger/services/api/markdown"
	"hubledger/services/api/taglist"
	"hubledger/services/internal/endpoint"
)

// baseOf is where relative links of a text lead, which is the README of the call's repository: to
// the git repository that the image of its preferred tag says it was made of. nil: nowhere.
func (s *API) baseOf(ctx context.Context, c *endpoint.Call, text string) (*markdown.Base, error) {
	if !markdown.HasRelative(text) {
		return nil, nil
	}
	list, err := s.tags.Of(ctx, c.Repository.ID)
	if errors.Is(err, taglist.ErrTooMany) || err == nil && list.Preferred() == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t, err := s.Images.TagDetail(ctx, c.Repository.ID, list.Preferred())
	if err != nil {
		return nil, without(err)
	}
	d := t.Digest
	for range 2 { // an index, and one of its images
		m, err := s.Images.ManifestDetail(ctx, c.Repository.ID, d)
		if err != nil {
			return nil, without(err)
		}
		says := m.Parsed.Annotations
		if says[v1.AnnotationSource] == "" && len(m.Parsed.Manifests) == 0 {
			config, _, err := s.configOf(ctx, c, m)
			if config == nil {
				return nil, err
			}
			says = config.Labels
		}
		if says[v1.AnnotationSource] != "" || len(m.Images) == 0 {
			return markdown.BaseOf(says[v1.AnnotationSource], says[v1.AnnotationRevision]), nil
		}
		d = m.Images[0].Digest
	}
	return nil, nil
}

// without is nil for what is not there.
func without(err error) error {
	if errors.Is(err, images.ErrNotFound) {
		return nil
	}
	return err
}
