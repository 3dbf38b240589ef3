package server

import (
	"context"
	"time"

	"hubledger/projections/catalog"
	"hubledger/services/registry/pulls"
)

// recentPulls counts the pulls that no event in the log counts yet.
type recentPulls struct{ *pulls.Store }

func (p recentPulls) RecentPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	counted, err := p.Of(ctx, repo)
	if err != nil {
		return nil, err
	}
	counts := map[string]catalog.TagPulls{}
	for _, pull := range counted {
		n := counts[pull.Tag]
		n.Pulls += pull.N
		if pull.Latest.After(n.LastPulled) {
			n.LastPulled = pull.Latest
		}
		counts[pull.Tag] = n
	}
	return counts, nil
}

// lastPulls says when tags were last pulled, from the pulls that the log counts
// and from those that it does not count yet.
type lastPulls struct {
	catalog.Reader
	recent recentPulls
}

func (p lastPulls) LastPulled(ctx context.Context, repo string) (map[string]time.Time, error) {
	recent, err := p.recent.RecentPulls(ctx, repo) // first, so that pulls which move into the log meanwhile are not missed
	if err != nil {
		return nil, err
	}
	counted, err := p.TagPulls(ctx, repo)
	if err != nil {
		return nil, err
	}
	last := map[string]time.Time{}
	for _, counts := range []map[string]catalog.TagPulls{counted, recent} {
		for tag, n := range counts {
			if n.LastPulled.After(last[tag]) {
				last[tag] = n.LastPulled
			}
		}
	}
	return last, nil
}
