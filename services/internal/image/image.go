// Package image holds what may be decided about images: pushes, and the
// deletion and return of tags and manifests.
package image

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// ErrUnknownTag: the tag is not there.
var ErrUnknownTag = errors.New("tag unknown")

// DeleteTag deletes a tag, whichever manifest it names now. It is refused for an
// immutable tag, and for the tag that holds the signatures of what an immutable
// tag needs. ErrUnknownTag, *ImmutableError, *HeldError.
func DeleteTag(ctx context.Context, log command.Log, by command.By, read Graph, id repository.ID, policy events.RepositoryPolicy, tag string) (uint64, error) {
	if err := mayDeleteTag(ctx, read, id.Repository, policy, tag); err != nil {
		return 0, err
	}
	return command.Decide(ctx, log, by, events.TagSubject(id.Namespace, id.Repository, tag), func(last events.Payload, _ uint64) (events.Payload, error) {
		d, named := NamedBy(last)
		if !named {
			return nil, fmt.Errorf("%s: %w", tag, ErrUnknownTag)
		}
		if repository.Immutable(policy).Has(tag) {
			return nil, &ImmutableError{Tag: tag, Digest: d}
		}
		return events.TagDeleted{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}, nil
	})
}

// DeleteTagAt is DeleteTag for a tag that names d by the event at that sequence.
// events.ErrConflict when there is a later event of the tag, *ImmutableError.
func DeleteTagAt(ctx context.Context, log command.Log, by command.By, read Graph, id repository.ID, policy events.RepositoryPolicy, tag string, d digest.Digest, at uint64) (uint64, error) {
	if err := mayDeleteTag(ctx, read, id.Repository, policy, tag); err != nil {
		return 0, err
	}
	if repository.Immutable(policy).Has(tag) {
		return 0, &ImmutableError{Tag: tag, Digest: d}
	}
	deleted := events.TagDeleted{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}
	last, err := log.Last(ctx, deleted.Subject())
	if err != nil {
		return 0, err
	}
	if last == nil || last.Seq != at {
		return 0, fmt.Errorf("the tag %s was not set last by event %d: %w", tag, at, events.ErrConflict)
	}
	return command.Append(ctx, log, by, deleted, last.Expect())
}

// NamedBy is the manifest that a tag names by its latest event; false when it
// never named one or was deleted.
func NamedBy(last events.Payload) (digest.Digest, bool) {
	switch p := last.(type) {
	case events.ImagePushed:
		return p.Digest, true
	case events.ImageTagged:
		return p.Digest, true
	case events.TagRestored:
		return p.Digest, true
	}
	return "", false
}

// RestoreTag undoes the deletion of a tag that named d since it was pushed.
// ErrUnknownTag when the tag's latest event is not that deletion.
func RestoreTag(ctx context.Context, log command.Log, by command.By, id repository.ID, tag string, d digest.Digest, pushed time.Time) (uint64, error) {
	return command.Decide(ctx, log, by, events.TagSubject(id.Namespace, id.Repository, tag), func(last events.Payload, _ uint64) (events.Payload, error) {
		deleted, ok := last.(events.TagDeleted)
		if !ok || deleted.Digest != d {
			return nil, fmt.Errorf("%s was not deleted: %w", tag, ErrUnknownTag)
		}
		return events.TagRestored{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d, Pushed: &pushed}, nil
	})
}

// DeleteManifest deletes a manifest and with it the tags that name it. The
// caller knows that the manifest is there. Of a push at the same moment the later
// in the log wins. *ImmutableError when an immutable tag needs the manifest,
// *HeldError when a release does, as far as read knows by now.
func DeleteManifest(ctx context.Context, log command.Log, by command.By, read Graph, id repository.ID, policy events.RepositoryPolicy, d digest.Digest) (uint64, error) {
	if err := mayDelete(ctx, read, id.Repository, policy, d); err != nil {
		return 0, err
	}
	return command.Append(ctx, log, by, events.ManifestDeleted{Namespace: id.Namespace, Repository: id.Repository, Digest: d}, events.AnySeq)
}

// RestoreManifest undoes the deletion of a manifest by the event at that sequence.
func RestoreManifest(ctx context.Context, log command.Log, by command.By, id repository.ID, d digest.Digest, deletion uint64) (uint64, error) {
	return command.Append(ctx, log, by, events.ManifestRestored{Namespace: id.Namespace, Repository: id.Repository, Digest: d, Deletion: deletion}, events.AnySeq)
}
