package cleanup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/apitypes"
)

// maxTagsOf bounds the tags of an image that ByImage names.
const maxTagsOf = 10

// maxSteps bounds how often ByImage meets a manifest or a blob below an image, of all images
// together: indexes that share their images could make it meet each of them for every index.
// 10,000 tags of five platforms with twenty layers each are about a million.
const maxSteps = 4_000_000

// errSteps says that there were more than maxSteps.
var errSteps = errors.New("too many images below too many indexes")

// steps counts down what may still be met.
type steps int

func (s *steps) take(n int) error {
	if *s -= steps(n); *s < 0 {
		return errSteps
	}
	return nil
}

// A share is what an image takes, while that is added up.
type share struct {
	digest        digest.Digest
	bytes, unique int64
	own           []images.Hold // the blobs that nothing else in the repository needs
}

// ByImage says what each image of a repository takes, and what only it needs, those that need most
// by themselves first, at most so many. An image is what a tag names, or what nothing names; an
// index takes what its images take, and a signature belongs to what it signs. everywhere is as in Preview.
func (c *Cleaner) ByImage(ctx context.Context, repo images.Repository, everywhere bool, most int) (apitypes.ImagesUsage, error) {
	u := apitypes.ImagesUsage{At: c.Now().UTC().Add(c.UndeleteWindow + c.LeaseTerm), Everywhere: everywhere, Images: []apitypes.ImageUsage{}}
	content, err := c.Read.Content(ctx, repo.ID)
	if err != nil {
		return u, fmt.Errorf("read what is in %s: %w", repo.Name, err)
	}
	left := steps(maxSteps)
	shares, of, err := roots(content, &left)
	if err == nil {
		err = c.addUp(ctx, repo, of, &left)
	}
	if errors.Is(err, errSteps) {
		u.TooMany = true
		return u, nil
	}
	if err != nil {
		return u, fmt.Errorf("add up what images of %s take: %w", repo.Name, err)
	}
	byUnique := func(a, b *share) int {
		return cmp.Or(cmp.Compare(b.unique, a.unique), cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.digest, b.digest))
	}
	slices.SortFunc(shares, byUnique)
	u.Total = len(shares)
	shares = shares[:min(len(shares), most)]
	for _, s := range shares {
		for _, h := range s.own {
			held, err := c.Read.HeldElsewhere(ctx, repo.ID, h.Blob, everywhere)
			if err != nil {
				return u, err
			}
			if held {
				s.unique -= h.Size
			}
		}
	}
	slices.SortFunc(shares, byUnique)
	tags := map[digest.Digest][]string{}
	for _, t := range content.Tags {
		tags[t.Digest] = append(tags[t.Digest], t.Name)
	}
	for _, s := range shares {
		named := tags[s.digest]
		n := min(len(named), maxTagsOf)
		u.Images = append(u.Images, apitypes.ImageUsage{Digest: s.digest.String(), Tags: append([]string{}, named[:n]...), MoreTags: len(named) - n, Bytes: s.bytes, Unique: s.unique})
	}
	return u, nil
}

// roots are the images of a repository, and to which of them each of its manifests belongs.
func roots(content images.Content, left *steps) (shares []*share, of map[digest.Digest][]*share, err error) {
	below, named := map[digest.Digest][]digest.Digest{}, map[digest.Digest]bool{}
	there := map[digest.Digest]bool{}
	for _, m := range content.Manifests {
		there[m.Digest] = true
	}
	for _, m := range content.Manifests {
		for _, child := range m.Children {
			below[m.Digest], named[child] = append(below[m.Digest], child), true
		}
		if there[m.Subject] {
			below[m.Subject], named[m.Digest] = append(below[m.Subject], m.Digest), true
		}
	}
	tagged := map[digest.Digest]bool{}
	for _, t := range content.Tags {
		tagged[t.Digest] = true
	}
	of = map[digest.Digest][]*share{}
	for _, m := range content.Manifests {
		if named[m.Digest] && !tagged[m.Digest] {
			continue
		}
		s := &share{digest: m.Digest}
		shares = append(shares, s)
		seen := map[digest.Digest]bool{}
		for next := []digest.Digest{m.Digest}; len(next) > 0; {
			d := next[len(next)-1]
			next = next[:len(next)-1]
			if err := left.take(1); err != nil {
				return nil, nil, err
			}
			if !there[d] || seen[d] {
				continue
			}
			seen[d], of[d], next = true, append(of[d], s), append(next, below[d]...)
		}
	}
	return shares, of, nil
}

// addUp adds the blobs of the repository to the images that need them.
func (c *Cleaner) addUp(ctx context.Context, repo images.Repository, of map[digest.Digest][]*share, left *steps) error {
	var last images.Hold
	need := map[*share]bool{}
	end := func() {
		for s := range need {
			s.bytes += last.Size
			if len(need) == 1 {
				s.unique += last.Size
				s.own = append(s.own, last)
			}
		}
		clear(need)
	}
	err := c.Read.RepositoryHolds(ctx, repo.ID, func(h images.Hold) error {
		if h.Blob != last.Blob {
			end()
			last = h
		}
		if err := left.take(len(of[h.Manifest])); err != nil {
			return err
		}
		for _, s := range of[h.Manifest] {
			need[s] = true
		}
		return nil
	})
	end()
	return err
}
