package server

import (
	"context"
	"time"

	"hubledger/projections/catalog"
	"hubledger/services/registry/leases"
)

// recentPulls are those that are not in the log yet.
type recentPulls struct{ *leases.Store }

func (p recentPulls) RecentPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	pulls, err := p.PullsOf(ctx, repo)
	if err != nil {
		return nil, err
	}
	counts := map[string]catalog.TagPulls{}
	for _, pull := range pulls {
		n := counts[pull.Tag]
		n.Pulls += pull.N
		if pull.Latest.After(n.LastPulled) {
			n.LastPulled = pull.Latest
		}
		counts[pull.Tag] = n
	}
	return counts, nil
}

// lastPulls says when tags were pulled last: by what is in the log, and by
// what is not yet.
type lastPulls struct {
	catalog.Reader
	recent recentPulls
}

func (p lastPulls) LastPulled(ctx context.Context, repo string) (map[string]time.Time, error) {
	recent, err := p.recent.RecentPulls(ctx, repo) // before the log, into which they go
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
