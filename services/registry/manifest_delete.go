package registry

import (
	"errors"
	"net/http"

	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

// deleteManifest deletes a tag, or a manifest with all tags that name it
// (distribution-spec, "Deleting tags" and "Deleting Manifests"). Either can be
// undone within the undelete window.
func (s *Registry) deleteManifest(w http.ResponseWriter, r *http.Request, to route) error {
	ctx := r.Context()
	repo, err := s.repository(ctx, to.name)
	if err != nil {
		return err
	}
	m, err := s.manifest(ctx, repo, to.ref)
	if err != nil {
		return err
	}
	id := repository.ID{Namespace: repo.Namespace, Repository: repo.ID}
	var seq uint64
	if isDigest(to.ref) {
		d, perr := parseDigest(m.digest)
		if perr != nil {
			return perr
		}
		seq, err = image.DeleteManifest(ctx, s.Log, by(r), id, d)
	} else {
		seq, err = image.DeleteTag(ctx, s.Log, by(r), id, to.ref)
	}
	if errors.Is(err, image.ErrUnknownTag) {
		return manifestUnknown(to.ref)
	}
	if err != nil {
		return err
	}
	if err := s.settle(ctx, seq); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
