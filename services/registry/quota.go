package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/repository"
)

// Quotas says what namespaces may hold.
type Quotas interface {
	// Quota is that of the namespace of that name, in bytes of distinct blobs
	// and manifests and in live manifests; 0 is no limit. A namespace that is
	// not there has none.
	Quota(ctx context.Context, namespace string) (bytes, images int64, err error)
}

// reserve refuses a push that would take its namespace over its quota. What it
// may take is counted for it until release, so that pushes at the same moment
// do not all find the same room; on several nodes each counts its own.
func (s *Registry) reserve(ctx context.Context, p *pushRequest, repo *images.Repository, absent []digest.Digest) (release func(), err error) {
	none := func() {}
	quota, ns, err := s.quota(ctx, p.name, repo)
	if err != nil || quota == (amount{}) {
		return none, err
	}
	repoID := ""
	if repo != nil {
		repoID = repo.ID
	}
	items := s.ledger.itemsOf(repoID, p.digest, p.manifest, int64(len(p.bytes)), absent)
	used, more, release, err := s.ledger.reserve(ctx, s.Images, ns, items, quota)
	switch {
	case err != nil:
		return none, fmt.Errorf("add up what %s holds: %w", p.name.Namespace, err)
	case release == nil:
		return none, overQuota(p.name.Namespace, used, more, quota)
	}
	return release, nil
}

// notFull refuses to begin an upload into a namespace that has no room left.
func (s *Registry) notFull(ctx context.Context, full string) error {
	if s.Quotas == nil {
		return nil
	}
	name, err := repository.ParseName(full)
	if err != nil {
		return err
	}
	quota, ns, err := s.quota(ctx, name, nil)
	if err != nil || quota.bytes == 0 {
		return err
	}
	used, spent, err := s.ledger.full(ctx, s.Images, ns, quota)
	if err != nil {
		return fmt.Errorf("add up what %s holds: %w", name.Namespace, err)
	}
	if spent {
		return overQuota(name.Namespace, used, amount{}, quota)
	}
	return nil
}

// quota is that of a name's namespace, and the namespace's id. The zero amount
// is none.
func (s *Registry) quota(ctx context.Context, name repository.Name, repo *images.Repository) (quota amount, ns string, err error) {
	if s.Quotas == nil {
		return amount{}, "", nil
	}
	if quota.bytes, quota.images, err = s.Quotas.Quota(ctx, name.Namespace); err != nil {
		return amount{}, "", fmt.Errorf("quota of %s: %w", name.Namespace, err)
	}
	if quota == (amount{}) {
		return quota, "", nil
	}
	if repo != nil {
		return quota, repo.Namespace, nil
	}
	ns, err = s.Images.NamespaceID(ctx, name.Namespace)
	if errors.Is(err, images.ErrNotFound) && s.catchUp(ctx) {
		ns, err = s.Images.NamespaceID(ctx, name.Namespace)
	}
	if errors.Is(err, images.ErrNotFound) {
		return amount{}, "", nil // it holds nothing, and nobody can have given it a quota
	}
	return quota, ns, err
}

// overQuota says what there is, what would be added, and what to do.
func overQuota(namespace string, used, more, quota amount) error {
	said := fmt.Sprintf("the quota of %s is used up: ", namespace)
	if quota.bytes > 0 && (used.bytes+more.bytes > quota.bytes || more == amount{}) {
		said += fmt.Sprintf("%s of %s", inUnits(used.bytes), inUnits(quota.bytes))
		if more.bytes > 0 {
			said += fmt.Sprintf(", and this image adds %s", inUnits(more.bytes))
		}
	} else {
		said += fmt.Sprintf("%d of %d images", used.images, quota.images)
	}
	return fail(http.StatusForbidden, "DENIED", said+"; delete images that are not needed or ask an administrator for more")
}

// inUnits is a size for people, rounded down to two digits behind the point.
func inUnits(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	unit := -1
	whole, rest := n, int64(0)
	for whole >= 1000 {
		whole, rest = whole/1000, whole%1000
		unit++
	}
	return fmt.Sprintf("%d.%02d %cB", whole, rest/10, units[unit])
}
