package server

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/catalog"
	"hubledger/services/registry/pulls"
)

// recentPulls counts the pulls that no event in the log counts yet.
type recentPulls struct{ *pulls.Store }

func (p recentPulls) RecentPulls(ctx context.Context, repo string) (catalog.Pulls, error) {
	all := catalog.Pulls{Tags: map[string]catalog.TagPulls{}, Manifests: map[digest.Digest]time.Time{}}
	counted, err := p.Of(ctx, repo)
	for _, n := range counted {
		if n.Digest != "" {
			all.Add(catalog.Pulls{Manifests: map[digest.Digest]time.Time{n.Digest: n.Latest}})
		} else {
			all.Tags[n.Tag] = all.Tags[n.Tag].Plus(catalog.TagPulls{Pulls: n.N, LastPulled: n.Latest})
		}
	}
	return all, err
}

// allPulls knows the pulls of a repository that the log counts and those that it
// does not count yet.
type allPulls struct {
	catalog.Reader
	recent recentPulls
}

func (p allPulls) Pulls(ctx context.Context, repo string) (all catalog.Pulls, err error) {
	recent, err := p.recent.RecentPulls(ctx, repo) // first, so that pulls which move into the log meanwhile are not missed
	if err != nil {
		return all, err
	}
	if all.Tags, err = p.TagPulls(ctx, repo, nil); err != nil {
		return all, err
	}
	if all.Manifests, err = p.ManifestsPulled(ctx, repo, nil); err != nil {
		return all, err
	}
	all.Add(recent)
	return all, nil
}
