package api

import (
	"context"

	"hubledger/projections/catalog"
)

// recent counts the pulls of a repository that the log does not have yet. It
// is asked before the catalog: while an hour is being written into the log its
// pulls may count twice for a moment, but none is ever missed.
func (s *API) recent(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	if s.Recent == nil {
		return nil, nil
	}
	return s.Recent.RecentPulls(ctx, repo)
}

func plus(a, b catalog.TagPulls) catalog.TagPulls {
	a.Pulls += b.Pulls
	if b.LastPulled.After(a.LastPulled) {
		a.LastPulled = b.LastPulled
	}
	return a
}

// tagPulls counts the pulls of a repository by tag, up to now.
func (s *API) tagPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	recent, err := s.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	all, err := s.Catalog.TagPulls(ctx, repo)
	if err != nil {
		return nil, err
	}
	for tag, n := range recent {
		all[tag] = plus(all[tag], n)
	}
	return all, nil
}

// entry is what the catalog has of a live repository, its pulls up to now.
// Lists show them as the log has them, up to the last full hour.
func (s *API) entry(ctx context.Context, repo string) (*catalog.Entry, error) {
	recent, err := s.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	e, err := s.Catalog.Entry(ctx, repo)
	if err != nil {
		return nil, err
	}
	pulls := catalog.TagPulls{Pulls: e.Pulls, LastPulled: e.Pulled}
	for _, n := range recent {
		pulls = plus(pulls, n)
	}
	e.Pulls, e.Pulled = pulls.Pulls, pulls.LastPulled
	return e, nil
}
