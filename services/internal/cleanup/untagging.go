package cleanup

import (
	"context"
	"maps"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/apitypes"
)

// PreviewDeletion says what becomes free when tags of a repository are deleted by hand or,
// with tags nil, the repository. Deleting a tag frees nothing by itself: what nothing else
// needs is freed once its images are deleted, by the repository's cleanup rule or by hand. Of
// everywhere see Preview.
func (c *Cleaner) PreviewDeletion(ctx context.Context, repo images.Repository, tags []string, everywhere bool) (p apitypes.DeletionPreview, err error) {
	s, _, err := c.state(ctx, repo)
	if err != nil {
		return p, err
	}
	now := c.Now().UTC()
	p.Earliest = now.Add(c.UndeleteWindow + c.LeaseTerm)
	before, gone := map[digest.Digest]bool{}, map[digest.Digest]bool{}
	if tags == nil {
		for _, m := range s.Manifests {
			gone[m.Digest] = true
		}
		p.At = &p.Earliest
	} else {
		rule := events.Cleanup{UntaggedDays: 1}
		if own := repo.Policy.Cleanup; own != nil && own.UntaggedDays > 0 {
			rule.UntaggedDays = own.UntaggedDays
			at := p.Earliest.Add(time.Duration(own.UntaggedDays) * day)
			p.At = &at
		}
		then := now.Add(time.Duration(rule.UntaggedDays) * day)
		if before, err = untagged(ctx, rule, s, then); err != nil {
			return p, err
		}
		if gone, err = untagged(ctx, rule, after(s, deletionsOf(s, tags), now), then); err != nil {
			return p, err
		}
		if p.At == nil { // no rule takes what has no tag already
			maps.DeleteFunc(gone, func(d digest.Digest, _ bool) bool { return before[d] })
			before = nil
		}
	}
	p.Images = len(gone) - len(before)
	with, err := c.freed(ctx, repo, gone, p.Earliest, everywhere)
	if err != nil {
		return p, err
	}
	without, err := c.freed(ctx, repo, before, p.Earliest, everywhere)
	p.Blobs, p.Bytes = with.Blobs-without.Blobs, with.Bytes-without.Bytes
	return p, err
}

// deletionsOf are the deletions of those tags that are there.
func deletionsOf(s State, tags []string) (list []Deletion) {
	asked := map[string]bool{}
	for _, tag := range tags {
		asked[tag] = true
	}
	for _, t := range s.Tags {
		if asked[t.Name] {
			list = append(list, Deletion{Tag: t.Name, Digest: t.Digest})
		}
	}
	return list
}

// untagged are the manifests that a rule for images without a tag takes.
func untagged(ctx context.Context, rule events.Cleanup, s State, at time.Time) (map[digest.Digest]bool, error) {
	plan, err := Plan(ctx, rule, s, at)
	gone := map[digest.Digest]bool{}
	for _, d := range plan {
		if d.Tag == "" {
			gone[d.Digest] = true
		}
	}
	return gone, err
}
