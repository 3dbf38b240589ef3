package cleanup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/apitypes"
)

// Preview says what a rule, which need not be the repository's own, would do. A
// blob counts as freed when nothing else in the namespace needs it or, with
// everywhere, nothing else in the hub: only administrators may learn what other
// namespaces have.
func (c *Cleaner) Preview(ctx context.Context, repo images.Repository, rule events.Cleanup, everywhere bool) (apitypes.CleanupPreview, error) {
	p := apitypes.CleanupPreview{Tags: []apitypes.CleanupPreviewTag{}, Manifests: []apitypes.CleanupPreviewManifest{}, Later: []apitypes.CleanupPreviewManifest{}}
	s, _, err := c.state(ctx, repo)
	if err != nil {
		return p, err
	}
	now := c.Now().UTC()
	pushed := map[digest.Digest]time.Time{}
	for _, m := range s.Manifests {
		pushed[m.Digest] = m.Pushed
	}
	gone := map[digest.Digest]bool{}
	plan, err := Plan(ctx, rule, s, now)
	if err != nil {
		return p, err
	}
	for _, d := range plan {
		if d.Tag == "" {
			gone[d.Digest] = true
			p.Manifests = append(p.Manifests, apitypes.CleanupPreviewManifest{Digest: d.Digest, Pushed: pushed[d.Digest]})
			continue
		}
		k, _ := slices.BinarySearchFunc(s.Tags, d.Tag, func(t images.ContentTag, name string) int { return cmp.Compare(t.Name, name) })
		t := apitypes.CleanupPreviewTag{Name: d.Tag, Digest: d.Digest, Pushed: s.Tags[k].Pushed}
		t.Pulled = apitypes.Known(d.Used)
		p.Tags = append(p.Tags, t)
	}
	wait := c.UndeleteWindow + c.LeaseTerm
	if p.Now, err = c.freed(ctx, repo, gone, now.Add(wait), everywhere); err != nil {
		return p, err
	}
	then := now.Add(time.Duration(rule.UntaggedDays) * day)
	later, err := Plan(ctx, events.Cleanup{UntaggedDays: rule.UntaggedDays}, after(s, plan, now), then)
	if err != nil {
		return p, err
	}
	for _, d := range later {
		if d.Tag == "" {
			gone[d.Digest] = true
			p.Later = append(p.Later, apitypes.CleanupPreviewManifest{Digest: d.Digest, Pushed: pushed[d.Digest]})
		}
	}
	p.Then, err = c.freed(ctx, repo, gone, then.Add(wait), everywhere)
	return p, err
}

// after is the state once a plan was carried out.
func after(s State, plan []Deletion, now time.Time) State {
	tags, manifests := map[string]bool{}, map[digest.Digest]bool{}
	released := map[digest.Digest]bool{}
	for _, d := range plan {
		if d.Tag == "" {
			manifests[d.Digest] = true
		} else {
			tags[d.Tag] = true
			released[d.Digest] = true
		}
	}
	left := State{Immutable: s.Immutable, Pulled: s.Pulled, Used: s.Used}
	for _, t := range s.Tags {
		if !tags[t.Name] {
			left.Tags = append(left.Tags, t)
		}
	}
	for _, m := range s.Manifests {
		if manifests[m.Digest] {
			continue
		}
		if released[m.Digest] {
			m.Released = now
		}
		left.Manifests = append(left.Manifests, m)
	}
	return left
}

// freed adds up the blobs that only manifests which are gone need.
func (c *Cleaner) freed(ctx context.Context, repo images.Repository, gone map[digest.Digest]bool, at time.Time, everywhere bool) (apitypes.CleanupFreed, error) {
	f := apitypes.CleanupFreed{At: at}
	type need struct {
		blob digest.Digest
		size int64
		kept bool
	}
	var needs []need
	err := c.Read.RepositoryHolds(ctx, repo.ID, func(h images.Hold) error {
		if n := len(needs); n == 0 || needs[n-1].blob != h.Blob {
			needs = append(needs, need{h.Blob, h.Size, false})
		}
		if !gone[h.Manifest] {
			needs[len(needs)-1].kept = true
		}
		return nil
	})
	for _, n := range needs {
		if err != nil || n.kept {
			continue
		}
		var held bool
		if held, err = c.Read.HeldElsewhere(ctx, repo.ID, n.blob, everywhere); err == nil && !held {
			f.Blobs++
			f.Bytes += n.size
		}
	}
	if err != nil {
		return f, fmt.Errorf("add up what %s frees: %w", repo.Name, err)
	}
	return f, nil
}
