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

const tries = 8

// Push records a push. The last of several pushes of one tag wins, so nothing
// is expected of the log.
func Push(ctx context.Context, log command.Log, by command.By, e events.ImagePushed) (uint64, error) {
	return command.Append(ctx, log, by, e, events.AnySeq)
}

// DeleteTag takes a tag away, whatever it names by now. ErrUnknownTag.
func DeleteTag(ctx context.Context, log command.Log, by command.By, id repository.ID, tag string) (uint64, error) {
	for range tries {
		p, last, err := command.Latest(ctx, log, events.TagSubject(id.Namespace, id.Repository, tag))
		if err != nil {
			return 0, err
		}
		var d digest.Digest
		switch p := p.(type) {
		case events.ImagePushed:
			d = p.Digest
		case events.TagRestored:
			d = p.Digest
		default:
			return 0, fmt.Errorf("%s: %w", tag, ErrUnknownTag)
		}
		seq, err := command.Append(ctx, log, by, events.TagDeleted{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: d}, last)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("delete tag %s: %w", tag, events.ErrConflict)
}

// RestoreTag undoes the tag's deletion, if that is the latest that happened
// to it and the tag named d then. ErrUnknownTag when it is not.
func RestoreTag(ctx context.Context, log command.Log, by command.By, id repository.ID, tag string, d digest.Digest) (uint64, error) {
	p, last, err := command.Latest(ctx, log, events.TagSubject(id.Namespace, id.Repository, tag))
	if err != nil {
		return 0, err
	}
	deleted, ok := p.(events.TagDeleted)
	if !ok || deleted.Digest != d {
		return 0, fmt.Errorf("%s was not deleted: %w", tag, ErrUnknownTag)
	}
	return command.Append(ctx, log, by, events.TagRestored{Namespace: id.Namespace, Repository: id.Repository, Tag: tag, Digest: deleted.Digest}, last)
}

// DeleteManifest takes a manifest away with the tags that name it. That it is
// there is for the caller to know; of a push at the same time the later in
// the log wins.
func DeleteManifest(ctx context.Context, log command.Log, by command.By, id repository.ID, d digest.Digest) (uint64, error) {
	return command.Append(ctx, log, by, events.ManifestDeleted{Namespace: id.Namespace, Repository: id.Repository, Digest: d}, events.AnySeq)
}

// RestoreManifest undoes the deletion that stands at that sequence.
func RestoreManifest(ctx context.Context, log command.Log, by command.By, id repository.ID, d digest.Digest, deletion uint64) (uint64, error) {
	return command.Append(ctx, log, by, events.ManifestRestored{Namespace: id.Namespace, Repository: id.Repository, Digest: d, Deletion: deletion}, events.AnySeq)
}
