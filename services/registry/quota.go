package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/projections/images"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/quota"
)

// Quotas says what namespaces may hold.
type Quotas interface {
	// Quota is that of the namespace of that name, in bytes of distinct blobs
	// and manifests and in live manifests; 0 is no limit. A namespace that does
	// not exist has none.
	Quota(ctx context.Context, namespace string) (bytes, images int64, err error)
}

// reserve refuses a push that would take its namespace over its quota. What the
// push may add counts for it until release, so that pushes at the same moment
// do not all find the same room; several nodes do not know of each other's.
func (s *Registry) reserve(ctx context.Context, p *pushRequest, repo *images.Repository, found *pushCheck) (release func(), err error) {
	none := func() {}
	limit, ns, err := s.quotaOf(ctx, p.name, repo)
	if err != nil || limit == (quota.Amount{}) {
		return none, err
	}
	adds := quota.Push{Digest: p.digest, Size: int64(len(p.bytes)), Manifest: p.manifest, Absent: found.absent, Blobs: found.elsewhere}
	if repo != nil {
		adds.Repository = repo.ID
	}
	if release, err = s.usage.Reserve(ctx, ns, adds, limit); err != nil {
		return none, overQuota(p.name.Namespace, err)
	}
	return release, nil
}

// checkRoom refuses to begin an upload into a namespace that is full.
func (s *Registry) checkRoom(ctx context.Context, full string) error {
	if s.Quotas == nil {
		return nil
	}
	name, err := repository.ParseName(full)
	if err != nil {
		return err
	}
	limit, ns, err := s.quotaOf(ctx, name, nil)
	if err != nil || limit.Bytes == 0 {
		return err
	}
	return overQuota(name.Namespace, s.usage.CheckRoom(ctx, ns, limit))
}

// quotaOf is the quota of a name's namespace, zero when there is none, and the
// namespace's id.
func (s *Registry) quotaOf(ctx context.Context, name repository.Name, repo *images.Repository) (limit quota.Amount, ns string, err error) {
	if s.Quotas == nil {
		return limit, "", nil
	}
	if limit.Bytes, limit.Images, err = s.Quotas.Quota(ctx, name.Namespace); err != nil {
		return quota.Amount{}, "", fmt.Errorf("quota of %s: %w", name.Namespace, err)
	}
	if limit == (quota.Amount{}) {
		return limit, "", nil
	}
	if repo != nil {
		return limit, repo.Namespace, nil
	}
	ns, err = s.Images.NamespaceID(ctx, name.Namespace)
	if errors.Is(err, images.ErrNotFound) && s.catchUp(ctx) {
		ns, err = s.Images.NamespaceID(ctx, name.Namespace)
	}
	if errors.Is(err, images.ErrNotFound) {
		return quota.Amount{}, "", nil // it holds nothing, and cannot have a quota
	}
	return limit, ns, err
}

// overQuota turns what package quota answers into the refusal that clients get.
func overQuota(namespace string, err error) error {
	var exceeded *quota.ExceededError
	switch {
	case errors.As(err, &exceeded):
		return fail(http.StatusForbidden, "DENIED", "the quota of "+namespace+" is used up: "+exceeded.Error()+
			"; delete images that are not needed or ask an administrator for more")
	case err != nil:
		return fmt.Errorf("add up what %s holds: %w", namespace, err)
	}
	return nil
}
