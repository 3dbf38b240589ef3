package browse

import (
	"context"

	"hubledger/projections/catalog"
)

// recent counts the pulls of a repository that the log does not have yet. Call it
// before reading the catalog: while an hour is being written into the log its
// pulls may then count twice for a moment, but none is ever missed.
func (b Reader) recent(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	if b.Recent == nil {
		return nil, nil
	}
	return b.Recent.RecentPulls(ctx, repo)
}

func plus(x, y catalog.TagPulls) catalog.TagPulls {
	x.Pulls += y.Pulls
	if y.LastPulled.After(x.LastPulled) {
		x.LastPulled = y.LastPulled
	}
	return x
}

// TagPulls counts the pulls of a repository by tag, up to now.
func (b Reader) TagPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	recent, err := b.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	all, err := b.Catalog.TagPulls(ctx, repo)
	if err != nil {
		return nil, err
	}
	for tag, n := range recent {
		all[tag] = plus(all[tag], n)
	}
	return all, nil
}

// Entry is the catalog's entry of a live repository with its pulls up to now.
// Lists have pulls up to the last full hour only.
func (b Reader) Entry(ctx context.Context, repo string) (*catalog.Entry, error) {
	recent, err := b.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	e, err := b.Catalog.Entry(ctx, repo)
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
