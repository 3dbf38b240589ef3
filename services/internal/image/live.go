package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// Live knows which tags are there: images.Reader.
type Live interface {
	Graph
	TagDetail(ctx context.Context, repo, tag string) (*images.TagDetail, error)
	Repository(ctx context.Context, name string) (*images.Repository, error)
	Manifest(ctx context.Context, repo string, d digest.Digest) (*images.Stored, error)
}

// DeleteLiveTag is DeleteTag for a tag of a repository as people see it: a tag
// whose manifest was deleted is not there, though the tag's own latest event
// does not say so. The error wraps images.ErrNotFound then; ErrUnknownTag,
// *ImmutableError. Unless only is "", the tag is deleted only while it names that
// manifest: *MovedError.
func DeleteLiveTag(ctx context.Context, log command.Log, by command.By, read Live, id repository.ID, name, tag string, only digest.Digest) (uint64, error) {
	if !repository.ValidTag(tag) {
		return 0, fmt.Errorf("tag %q: %w", tag, images.ErrNotFound)
	}
	t, err := read.TagDetail(ctx, id.Repository, tag)
	if err != nil {
		return 0, err
	}
	repo, err := read.Repository(ctx, name)
	if err != nil {
		return 0, err
	}
	if only == "" {
		return DeleteTag(ctx, log, by, read, id, repo.Policy, tag)
	}
	seq := uint64(0)
	if err = ErrMoved; t.Digest == only {
		seq, err = DeleteTagAt(ctx, log, by, read, id, repo.Policy, tag, only, t.Seq)
	}
	if errors.Is(err, ErrMoved) || errors.Is(err, events.ErrConflict) {
		// Of what came since, the read model may not know yet whether it is still there.
		there := func(context.Context, string, uint64) (bool, error) { return true, nil }
		err = moved(ctx, log, events.TagSubject(id.Namespace, id.Repository, tag), tag, there)
	}
	return seq, err
}

// DeleteLiveManifest is DeleteManifest for a manifest of a repository as people see it: one that was
// deleted is not there. The error wraps images.ErrNotFound then; *ImmutableError, *HeldError.
func DeleteLiveManifest(ctx context.Context, log command.Log, by command.By, read Live, id repository.ID, name string, d digest.Digest) (uint64, error) {
	if _, err := read.Manifest(ctx, id.Repository, d); err != nil {
		return 0, err
	}
	repo, err := read.Repository(ctx, name)
	if err != nil {
		return 0, err
	}
	return DeleteManifest(ctx, log, by, read, id, repo.Policy, d)
}

// ErrManifestDeleted is what a *ManifestDeletedError is.
var ErrManifestDeleted = errors.New("the manifest was deleted")

// A ManifestDeletedError says that a tag cannot come back without the manifest
// that it named, and which can be restored. It is an ErrManifestDeleted.
type ManifestDeletedError struct{ Digest digest.Digest }

func (e *ManifestDeletedError) Error() string {
	return "the tag named " + e.Digest.String() + ", which was deleted as well: restore that first"
}

// Is makes it an ErrManifestDeleted.
func (e *ManifestDeletedError) Is(target error) bool { return target == ErrManifestDeleted }

// An IncompleteError says that a manifest is missing which an index names, and why. It is
// an ErrManifestDeleted.
type IncompleteError struct {
	Index, Child digest.Digest
	Err          error
}

func (e *IncompleteError) Error() string {
	if errors.Is(e.Err, ErrManifestDeleted) {
		return "the index " + e.Index.String() + " names " + e.Child.String() + ", which was deleted: restore that first"
	}
	return "the index " + e.Index.String() + " is not whole: " + e.Err.Error()
}

// Is makes it an ErrManifestDeleted.
func (e *IncompleteError) Is(target error) bool { return target == ErrManifestDeleted }

// Deleted knows tags that were deleted, and which manifests are there: images.Reader.
type Deleted interface {
	DeletedTag(ctx context.Context, repo, tag string) (images.DeletedTag, error)
	Manifest(ctx context.Context, repo string, d digest.Digest) (*images.Stored, error)
}

// MayRestoreTag is a *ManifestDeletedError when the manifest has to be restored
// before its tag. That the tag was deleted at all is not checked here.
func MayRestoreTag(ctx context.Context, read Deleted, repo, tag string) error {
	t, err := read.DeletedTag(ctx, repo, tag)
	if errors.Is(err, images.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err = read.Manifest(ctx, repo, t.Digest); errors.Is(err, images.ErrNotFound) {
		return &ManifestDeletedError{t.Digest}
	}
	return err
}
