// Package image holds what may be decided about images: pushes, and the
// deletion and return of tags and manifests.
package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// ErrUnknownTag: the tag is not there.
var ErrUnknownTag = errors.New("tag unknown")

// Push records a push. The last of several pushes of one tag wins, so nothing
// is expected of the log. Immutable tags are for PushOnce.
func Push(ctx context.Context, log command.Log, by command.By, e events.ImagePushed) (uint64, error) {
	return command.Append(ctx, log, by, e, events.AnySeq)
}

// DeleteTag takes a tag away, whatever it names by now. ErrUnknownTag,
// *ImmutableError.
func DeleteTag(ctx context.Context, log command.Log, by command.By, id repository.ID, policy events.RepositoryPolicy, tag string) (uint64, error) {
	return command.Decide(ctx, log, by, events.TagSubject(id.Namespace, id.Repository, tag), func(last events.Payload, _ uint64) (events.Payload, error) {
		d, named := namedBy(last)
		if !named {
			return nil, fmt.Errorf("%s: %w", tag, ErrUnknownTag)
		}
		if repository.Immutable(policy).Has(tag) {
			return nil, &ImmutableError{Tag: tag, Digest: d}
		}
		return events.TagDeleted{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}, nil
	})
}

// DeleteTagAt is DeleteTag if nothing has happened to the tag since the event
// of that sequence, by which it names d. events.ErrConflict when something has.
func DeleteTagAt(ctx context.Context, log command.Log, by command.By, id repository.ID, policy events.RepositoryPolicy, tag string, d digest.Digest, at uint64) (uint64, error) {
	if repository.Immutable(policy).Has(tag) {
		return 0, &ImmutableError{Tag: tag, Digest: d}
	}
	return command.Append(ctx, log, by, events.TagDeleted{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}, at)
}

// namedBy is the manifest that a tag names by its latest event; false when it
// never named one or was deleted.
func namedBy(last events.Payload) (digest.Digest, bool) {
	switch p := last.(type) {
	case events.ImagePushed:
		return p.Digest, true
	case events.TagRestored:
		return p.Digest, true
	}
	return "", false
}

// RestoreTag undoes the tag's deletion, if that is the latest that happened
// to it and the tag named d then. ErrUnknownTag when it is not.
func RestoreTag(ctx context.Context, log command.Log, by command.By, id repository.ID, tag string, d digest.Digest) (uint64, error) {
	return command.Decide(ctx, log, by, events.TagSubject(id.Namespace, id.Repository, tag), func(last events.Payload, _ uint64) (events.Payload, error) {
		deleted, ok := last.(events.TagDeleted)
		if !ok || deleted.Digest != d {
			return nil, fmt.Errorf("%s was not deleted: %w", tag, ErrUnknownTag)
		}
		return events.TagRestored{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}, nil
	})
}

// DeleteManifest takes a manifest away with the tags that name it, which are
// the caller's to know, as that it is there: of a push at the same time the
// later in the log wins. *ImmutableError when one of the tags stays.
func DeleteManifest(ctx context.Context, log command.Log, by command.By, id repository.ID, policy events.RepositoryPolicy, d digest.Digest, tags []string) (uint64, error) {
	immutable := repository.Immutable(policy)
	for _, tag := range tags {
		if immutable.Has(tag) {
			return 0, &ImmutableError{Tag: tag, Digest: d}
		}
	}
	return command.Append(ctx, log, by, events.ManifestDeleted{Namespace: id.Namespace, Repository: id.Repository, Digest: d}, events.AnySeq)
}

// RestoreManifest undoes the deletion that stands at that sequence.
func RestoreManifest(ctx context.Context, log command.Log, by command.By, id repository.ID, d digest.Digest, deletion uint64) (uint64, error) {
	return command.Append(ctx, log, by, events.ManifestRestored{Namespace: id.Namespace, Repository: id.Repository, Digest: d, Deletion: deletion}, events.AnySeq)
}
