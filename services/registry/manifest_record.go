package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// record appends the push and waits until it can be read back.
func (s *Registry) record(ctx context.Context, who access.Principal, name repository.Name, p *push) error {
	repo, err := s.repository(ctx, name.Full)
	if err != nil && !isUnknown(err) {
		return err
	}
	release, err := s.reserve(ctx, name, repo, p)
	if err != nil {
		return err
	}
	defer release()
	id, once := repository.ID{}, repository.ImmutableTags{}
	if repo != nil {
		id, once = idOf(repo), repository.Immutable(repo.Policy)
	} else if id, err = repository.Ensure(ctx, s.Log, by(who), name, s.DefaultVisibility); err != nil {
		return err
	}
	seq, err := s.append(ctx, who, id, once, p)
	if err != nil {
		return immutable(name.Full, fmt.Errorf("record the push of %s to %s: %w", p.Digest, name.Full, err))
	}
	if err := s.settle(ctx, seq); err != nil {
		return fmt.Errorf("the push of %s to %s is recorded as event %d, but not visible yet: %w", p.Digest, name.Full, seq, err)
	}
	// A deletion that came before the push in the log has taken it along.
	repo, err = s.repository(ctx, name.Full)
	if err == nil && repo.ID != id.Repository {
		return nameUnknown(name.Full)
	}
	return err
}

// append makes the push's events and returns the last of their sequences.
// Those of immutable tags come first: when one is refused, no other tag has
// been moved.
func (s *Registry) append(ctx context.Context, who access.Principal, id repository.ID, once repository.ImmutableTags, p *push) (last uint64, err error) {
	p.Namespace, p.Repository = id.Namespace, id.Repository
	tags := slices.Clone(tagsOf(p))
	slices.SortStableFunc(tags, func(a, b string) int { return rank(once, a) - rank(once, b) })
	for _, tag := range tags {
		p.Tag = tag
		var seq uint64
		if once.Has(tag) {
			seq, err = image.PushOnce(ctx, s.Log, by(who), p.ImagePushed, func(ctx context.Context, seq uint64) (bool, error) {
				return s.tagThere(ctx, id.Repository, tag, seq)
			})
		} else {
			seq, err = image.Push(ctx, s.Log, by(who), p.ImagePushed)
		}
		if err != nil {
			return 0, err
		}
		last = max(last, seq)
	}
	return last, nil
}

func rank(once repository.ImmutableTags, tag string) int {
	if once.Has(tag) {
		return 0
	}
	return 1
}

// tagThere says whether a tag is live once the projection has that event.
func (s *Registry) tagThere(ctx context.Context, repo, tag string, seq uint64) (bool, error) {
	if err := s.settle(ctx, seq); err != nil {
		return false, err
	}
	_, err := s.Read.ManifestByTag(ctx, repo, tag)
	if errors.Is(err, images.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// tagsOf is one entry for each event that the push makes, "" for a push by
// digest alone.
func tagsOf(p *push) []string {
	if len(p.more) > 0 {
		return p.more
	}
	return []string{p.Tag}
}
