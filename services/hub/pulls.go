package hub

import (
	"context"

	"hubledger/projections/catalog"
)

// recent counts the pulls of a repository that the log does not have yet. It
// is asked before the catalog: while an hour is being written into the log its
// pulls may count twice for a moment, but none is ever missed.
func (h *Hub) recent(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	if h.Recent == nil {
		return nil, nil
	}
	return h.Recent.RecentPulls(ctx, repo)
}

func plus(a, b catalog.TagPulls) catalog.TagPulls {
	a.Pulls += b.Pulls
	if b.LastPulled.After(a.LastPulled) {
		a.LastPulled = b.LastPulled
	}
	return a
}

// tagPulls counts the pulls of a repository by tag, up to now.
func (h *Hub) tagPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	recent, err := h.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	all, err := h.Catalog.TagPulls(ctx, repo)
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
func (h *Hub) entry(ctx context.Context, repo string) (*catalog.Entry, error) {
	recent, err := h.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	e, err := h.Catalog.Entry(ctx, repo)
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
