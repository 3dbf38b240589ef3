package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// deleteManifest deletes a tag, or a manifest with all tags that name it
// (distribution-spec, "Deleting tags" and "Deleting Manifests"). Either can be
// undone within the undelete window.
func (s *Registry) deleteManifest(w http.ResponseWriter, r *http.Request, to route) error {
	if _, err := s.DeleteImage(r.Context(), by(to.who), to.name, to.ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// DeleteImage deletes a tag, or by its digest a manifest with all tags that name
// it. What an immutable tag or a release needs is refused by an error that wraps
// *image.ImmutableError or *image.HeldError.
func (s *Registry) DeleteImage(ctx context.Context, by command.By, name, ref string) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	m, err := s.manifest(ctx, repo, ref)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx) // what an immutable tag or a release needs has to be known
	var seq uint64
	if isDigest(ref) {
		d, perr := parseDigest(m.Digest)
		if perr != nil {
			return 0, perr
		}
		seq, err = image.DeleteManifest(ctx, s.Log, by, s.Images, idOf(repo), repo.Policy, d)
	} else {
		seq, err = image.DeleteTag(ctx, s.Log, by, s.Images, idOf(repo), repo.Policy, ref)
	}
	if errors.Is(err, image.ErrUnknownTag) {
		return 0, manifestUnknown(ref)
	}
	if err != nil {
		return 0, refuseImmutable(repo.Name, err, "to delete it, change the repository's immutable tags first: hubledger repos policy "+repo.Name)
	}
	return seq, s.awaitVisible(ctx, seq)
}

func idOf(repo *images.Repository) repository.ID {
	return repository.ID{Namespace: repo.Namespace, Repository: repo.ID}
}

// refuseImmutable turns the refusal to move or delete an immutable tag into
// words that docker shows, with advice; any other error stays as it is.
func refuseImmutable(name string, err error, advice string) error {
	var e *image.ImmutableError
	if held := (*image.HeldError)(nil); errors.As(err, &held) {
		p := fail(http.StatusForbidden, "DENIED", held.Error())
		p.cause = err
		return p
	}
	if !errors.As(err, &e) {
		return err
	}
	p := fail(http.StatusForbidden, "DENIED", fmt.Sprintf("tag %s of %s is immutable and names %s; %s", e.Tag, name, e.Names(), advice))
	p.cause = err
	return p
}

// DeleteRepository deletes a repository and drops its leases; the deletion can
// be undone within the undelete window. Immutable tags do not prevent it, but
// releases of applications do: *image.HeldError.
func (s *Registry) DeleteRepository(ctx context.Context, by command.By, name string) (uint64, error) {
	repo, err := s.repository(ctx, name)
	if err != nil {
		return 0, err
	}
	s.catchUp(ctx) // what a release needs has to be known
	if err := image.MayDeleteRepository(ctx, s.Images, repo.ID); err != nil {
		return 0, err
	}
	seq, err := repository.Delete(ctx, s.Log, by, idOf(repo), repo.Name)
	if err != nil {
		return 0, err
	}
	if err := s.Leases.DropRepository(ctx, repo.Name); err != nil {
		return seq, err
	}
	s.usage.Dropped(access.NamespaceOf(repo.Name))
	return seq, s.awaitVisible(ctx, seq)
}

// deleteBlob drops the repository's lease. A blob that a live manifest of the
// repository needs is refused.
func (s *Registry) deleteBlob(w http.ResponseWriter, r *http.Request, to route) error {
	ctx := r.Context()
	d, err := parseDigest(to.ref)
	if err != nil {
		return err
	}
	if _, err := s.blob(ctx, to.name, d, 0); err != nil {
		return err
	}
	if repo, err := s.repository(ctx, to.name); err == nil {
		held, err := s.Images.HoldsBlob(ctx, repo.ID, d)
		if err != nil {
			return err
		}
		if held {
			return unsupported(http.StatusMethodNotAllowed, "a manifest of this repository needs the blob: delete the manifest, and garbage collection takes the blob")
		}
	}
	name, err := fullName(to.name)
	if err != nil {
		return err
	}
	if _, err := s.Leases.Drop(ctx, name, d); err != nil {
		return err
	}
	s.usage.Dropped(access.NamespaceOf(name))
	w.WriteHeader(http.StatusAccepted)
	return nil
}
