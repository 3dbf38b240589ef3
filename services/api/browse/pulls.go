package browse

import (
	"context"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/catalog"
	"hubledger/projections/images"
)

// recent counts the pulls of a repository that the log does not have yet. Call it
// before reading the catalog: while an hour is being written into the log its
// pulls may then count twice for a moment, but none is ever missed.
func (b Reader) recent(ctx context.Context, repo string) (catalog.Pulls, error) {
	if b.Recent == nil {
		return catalog.Pulls{}, nil
	}
	return b.Recent.RecentPulls(ctx, repo)
}

// TagPulls counts the pulls of tags of one repository, up to now.
func (b Reader) TagPulls(ctx context.Context, repo string, tags ...images.TagDetail) (Pulls, error) {
	recent, err := b.recent(ctx, repo)
	if err != nil {
		return Pulls{}, err
	}
	all := catalog.Pulls{}
	used, names := []digest.Digest{}, []string{}
	for _, t := range tags {
		names = append(names, t.Name)
		used = append(used, t.Digest)
		for _, image := range t.Images {
			used = append(used, image.Digest)
		}
	}
	if all.Tags, err = b.Catalog.TagPulls(ctx, repo, names); err != nil {
		return Pulls{}, err
	}
	if all.Manifests, err = b.Catalog.ManifestsPulled(ctx, repo, used); err != nil {
		return Pulls{}, err
	}
	all.Add(recent)
	return Pulls{all}, nil
}

// AllTagPulls counts the pulls of every tag of a repository, up to now.
func (b Reader) AllTagPulls(ctx context.Context, repo string) (map[string]catalog.TagPulls, error) {
	recent, err := b.recent(ctx, repo)
	if err != nil {
		return nil, err
	}
	all := catalog.Pulls{}
	if all.Tags, err = b.Catalog.TagPulls(ctx, repo, nil); err != nil {
		return nil, err
	}
	all.Add(catalog.Pulls{Tags: recent.Tags})
	return all.Tags, nil
}

// Pulls are those of the tags that were asked for.
type Pulls struct{ all catalog.Pulls }

// Of counts the pulls of a tag. It was last pulled when its manifest or, of an
// index, a manifest of it was, by whatever tag or digest.
func (p Pulls) Of(t images.TagDetail) catalog.TagPulls {
	n := p.all.Tags[t.Name].Plus(catalog.TagPulls{LastPulled: p.all.Manifests[t.Digest]})
	for _, image := range t.Images {
		n = n.Plus(catalog.TagPulls{LastPulled: p.all.Manifests[image.Digest]})
	}
	return n
}

// OfImage counts the pulls of one image of a tag: an image for one platform is
// last pulled when its own manifest was.
func (p Pulls) OfImage(t images.TagDetail, image images.PlatformImage) catalog.TagPulls {
	if image.Digest == t.Digest {
		return p.Of(t)
	}
	return catalog.TagPulls{LastPulled: p.all.Manifests[image.Digest]}
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
	for _, n := range recent.Tags {
		pulls = pulls.Plus(n)
	}
	e.Pulls, e.Pulled = pulls.Pulls, pulls.LastPulled
	return e, nil
}
