package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/leases"
)

var (
	// ErrTooLate says that the undelete window of a deletion has ended.
	ErrTooLate = errors.New("the undelete window has ended")
	// ErrSwept says that garbage collection has removed a blob that would have to
	// come back.
	ErrSwept = errors.New("its content was swept")
	// ErrNothingDeleted says that there is nothing to restore.
	ErrNothingDeleted = errors.New("nothing of that name was deleted")
)

// RestoreRepository undoes the latest deletion of a repository of that name,
// or that of the one with the given id.
func (s *Registry) RestoreRepository(ctx context.Context, by command.By, name, id string) (uint64, error) {
	full, err := fullName(name)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx)
	all, err := s.Images.DeletedRepositories(ctx, full, time.UnixMicro(1))
	if err != nil {
		return 0, err
	}
	k := slices.IndexFunc(all, func(d images.DeletedRepository) bool { return id == "" || d.ID == id })
	if k < 0 {
		return 0, fmt.Errorf("%s: %w", full, ErrNothingDeleted)
	}
	if err := s.inWindow(all[k].Deleted); err != nil {
		return 0, fmt.Errorf("%s: %w", full, err)
	}
	needs, err := s.Images.RepositoryBlobs(ctx, all[k].ID)
	if err != nil {
		return 0, err
	}
	ns, err := s.Images.NamespaceOf(ctx, all[k].ID)
	if err != nil {
		return 0, err
	}
	return s.restore(ctx, full, needs, func(ctx context.Context) (uint64, error) {
		return repository.Restore(ctx, s.Log, by, repository.ID{Namespace: ns, Repository: all[k].ID}, full)
	})
}

// RestoreManifest undoes the deletion of a manifest. When several clients deleted
// it at the same moment, the log has a deletion of each, and all are undone.
func (s *Registry) RestoreManifest(ctx context.Context, by command.By, name string, d digest.Digest) (seq uint64, err error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx)
	for {
		deletion, err := s.Images.LastDeletion(ctx, repo.ID, d)
		switch {
		case err != nil && !errors.Is(err, images.ErrNotFound):
			return 0, err
		case seq > 0 && (err != nil || deletion.Seq > seq):
			return seq, nil // no more, or one that was made after this
		case err != nil:
			return 0, fmt.Errorf("%s@%s: %w", name, d, ErrNothingDeleted)
		}
		if seq, err = s.undelete(ctx, by, repo, d, deletion); err != nil {
			return 0, err
		}
	}
}

func (s *Registry) undelete(ctx context.Context, by command.By, repo *images.Repository, d digest.Digest, deletion images.Deletion) (uint64, error) {
	if err := s.inWindow(deletion.Time); err != nil {
		return 0, fmt.Errorf("%s@%s: %w", repo.Name, d, err)
	}
	needs, err := s.Images.ManifestBlobs(ctx, repo.ID, d)
	if err != nil {
		return 0, err
	}
	return s.restore(ctx, repo.Name, needs, func(ctx context.Context) (uint64, error) {
		return image.RestoreManifest(ctx, s.Log, by, idOf(repo), d, deletion.Seq)
	})
}

// RestoreTag undoes the deletion of a tag whose manifest is still there.
func (s *Registry) RestoreTag(ctx context.Context, by command.By, name, tag string) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx)
	t, err := s.Images.DeletedTag(ctx, repo.ID, tag)
	if errors.Is(err, images.ErrNotFound) {
		return 0, fmt.Errorf("%s:%s: %w", name, tag, ErrNothingDeleted)
	}
	if err != nil {
		return 0, err
	}
	if err := s.inWindow(t.Deleted); err != nil {
		return 0, fmt.Errorf("%s:%s: %w", name, tag, err)
	}
	if _, err := s.manifest(ctx, repo, t.Digest.String()); err != nil {
		return 0, fmt.Errorf("%s:%s named a manifest that was deleted as well; restore %s@%s first: %w", name, tag, name, t.Digest, err)
	}
	needs, err := s.Images.ManifestBlobs(ctx, repo.ID, t.Digest)
	if err != nil {
		return 0, err
	}
	return s.restore(ctx, repo.Name, needs, func(ctx context.Context) (uint64, error) {
		return image.RestoreTag(ctx, s.Log, by, idOf(repo), tag, t.Digest, t.Pushed)
	})
}

func (s *Registry) inWindow(deleted time.Time) error {
	if end := deleted.Add(s.UndeleteWindow); time.Now().After(end) {
		return fmt.Errorf("deleted %s, restorable until %s: %w", deleted.Format(time.RFC3339), end.Format(time.RFC3339), ErrTooLate)
	}
	return nil
}

// pinBatch bounds the blobs of one pin.
const pinBatch = 1000

// restore pins the blobs that have to come back, makes sure that all of them are
// there and durable, and only then decides: in the order of a push, and for the
// same reasons.
func (s *Registry) restore(ctx context.Context, name string, needs []digest.Digest, decide func(context.Context) (uint64, error)) (seq uint64, err error) {
	ctx, cancel := s.decision(ctx)
	defer cancel()
	for batch := range slices.Chunk(needs, pinBatch) {
		var pin leases.Pin
		pin, err = s.Leases.Pin(ctx, batch...)
		var leaving *leases.LeavingError
		if errors.As(err, &leaving) {
			return 0, fmt.Errorf("%s: blob %s is being collected: %w", name, leaving.Digests[0], ErrSwept)
		}
		if err != nil {
			return 0, err
		}
		defer s.unpin(pin, &err)
		for _, d := range batch {
			if _, err := s.Blobs.Stat(ctx, d); err != nil {
				at, _ := s.Images.SweptAt(ctx, d)
				return 0, fmt.Errorf("%s: blob %s is gone, swept by event %d: %w", name, d, at, ErrSwept)
			}
		}
		// A blob may have been pushed again since, and not be durable yet.
		if err := s.Blobs.Sync(ctx, batch...); err != nil {
			return 0, fmt.Errorf("make the blobs of %s durable: %w", name, err)
		}
	}
	if seq, err = decide(ctx); err != nil {
		return 0, err
	}
	return seq, s.awaitVisible(ctx, seq)
}
