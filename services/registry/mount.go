package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	read "hubledger/projections/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
)

// mount leases to a name a blob that another repository can read. Without
// from any repository will do (distribution-spec, "Mounting a blob from another
// repository"). False: it has to be uploaded.
func (s *Registry) mount(ctx context.Context, name, from string, d digest.Digest) (bool, error) {
	if from == "" {
		if from = s.holder(ctx, name, d); from == "" {
			return false, nil
		}
	}
	source, err := fullName(from)
	if err != nil {
		return false, nil // nothing can be mounted from there
	}
	// A lease can outlive its blob, when that was not synced before a restart.
	if _, err := s.Blobs.Stat(d); err != nil {
		if errors.Is(err, blobs.ErrNotFound) {
			err = nil
		}
		return false, err
	}
	until := time.Now().Add(s.LeaseTerm)
	err = s.Leases.TakeIf(ctx, source, name, d, until)
	if errors.Is(err, leases.ErrNoLease) {
		if _, err = s.blob(ctx, source, d); err == nil {
			err = s.Leases.Take(ctx, name, until, d)
		}
	}
	var p *problem
	if errors.As(err, &p) || errors.Is(err, leases.ErrLeaving) {
		return false, nil
	}
	if err == nil {
		s.Metrics.Mounts.Inc()
	}
	return err == nil, err
}

// holder finds a repository that can read the blob, the asking one first.
func (s *Registry) holder(ctx context.Context, name string, d digest.Digest) string {
	if _, err := s.blob(ctx, name, d); err == nil {
		return name
	}
	from, err := s.Leases.Holder(ctx, d)
	if err == nil && from == "" {
		from, err = s.Read.LiveHolder(ctx, d)
	}
	if err != nil && !errors.Is(err, read.ErrNotFound) {
		s.Logger.Warn("look for a blob to mount", "digest", d, "error", err)
	}
	return from
}

// deleteBlob drops the repository's lease. What a live manifest needs stays.
func (s *Registry) deleteBlob(w http.ResponseWriter, r *http.Request, to route) error {
	ctx := r.Context()
	d, err := parseDigest(to.ref)
	if err != nil {
		return err
	}
	if _, err := s.blob(ctx, to.name, d); err != nil {
		return err
	}
	if repo, err := s.repository(ctx, to.name); err == nil {
		held, err := s.Read.HoldsBlob(ctx, repo.ID, d)
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
	w.WriteHeader(http.StatusAccepted)
	return nil
}
