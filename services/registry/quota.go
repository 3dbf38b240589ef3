package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/bodies"
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
	if p.into != "" {
		return none, nil
	}
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

// QuotaUse is what counts against the quota of a namespace, by its id and name:
// bytes, how many of them are open uploads and blobs that no image names yet, and
// live manifests.
func (s *Registry) QuotaUse(ctx context.Context, id, name string) (bytes, pending, images int64, err error) {
	s.catchUp(ctx)
	used, pending, err := s.usage.Used(ctx, quota.Namespace{ID: id, Name: name})
	return used.Bytes, pending, used.Images, err
}

// quotaOf is the quota of a name's namespace, zero when there is none, and that
// namespace.
func (s *Registry) quotaOf(ctx context.Context, name repository.Name, repo *images.Repository) (limit quota.Amount, ns quota.Namespace, err error) {
	ns.Name = name.Namespace
	if s.Quotas == nil {
		return limit, ns, nil
	}
	if limit.Bytes, limit.Images, err = s.Quotas.Quota(ctx, name.Namespace); err != nil {
		return quota.Amount{}, ns, fmt.Errorf("quota of %s: %w", name.Namespace, err)
	}
	s.usage.SetLimit(ns.Name, limit)
	if limit == (quota.Amount{}) {
		return limit, ns, nil
	}
	if repo != nil {
		ns.ID = repo.Namespace
		return limit, ns, nil
	}
	at := s.View.Position()
	ns.ID, err = s.Images.NamespaceID(ctx, name.Namespace)
	if errors.Is(err, images.ErrNotFound) && command.Since(at, s.Log, s.View).Missed(ctx) {
		ns.ID, err = s.Images.NamespaceID(ctx, name.Namespace)
	}
	if errors.Is(err, images.ErrNotFound) {
		return quota.Amount{}, ns, nil // it holds nothing, and cannot have a quota
	}
	return limit, ns, err
}

// overQuota turns what package quota answers into the refusal that clients get.
func overQuota(namespace string, err error) error {
	var exceeded *quota.ExceededError
	switch {
	case errors.As(err, &exceeded):
		p := fail(http.StatusForbidden, "DENIED", "the quota of "+namespace+" is used up: "+exceeded.Error()+
			"; delete images that are not needed or ask an administrator for more")
		p.cause = err
		return p
	case err != nil:
		return fmt.Errorf("add up what %s holds: %w", namespace, err)
	}
	return nil
}

// leasedIn lists the blobs of a namespace that only leases hold: those that were
// uploaded or mounted there and that no image of it ever named.
func (s *Registry) leasedIn(ctx context.Context, ns quota.Namespace) ([]quota.Leased, error) {
	all, err := s.Leases.OfNamespace(ctx, ns.Name)
	if err != nil {
		return nil, err
	}
	var list []quota.Leased
	for _, l := range all {
		named, err := s.Images.EverHeld(ctx, ns.ID, l.Digest)
		if err != nil {
			return nil, err
		}
		if named {
			continue
		}
		if size, err := s.Blobs.Stat(ctx, l.Digest); err == nil { // otherwise there is nothing to count
			list = append(list, quota.Leased{Blob: l.Digest, Size: size, Until: l.Until})
		}
	}
	return list, nil
}

// leaseRoom refuses the mount of a blob for which the namespace has no room.
func (s *Registry) leaseRoom(ctx context.Context, full string, d digest.Digest, size int64) error {
	name, err := repository.ParseName(full)
	if err != nil || s.Quotas == nil {
		return err
	}
	limit, ns, err := s.quotaOf(ctx, name, nil)
	if err != nil || limit.Bytes == 0 {
		return err
	}
	return overQuota(ns.Name, s.usage.Room(ctx, ns, quota.Leased{Blob: d, Size: size}, limit))
}

// leasedNow counts a blob that the name has a lease on since a moment ago; upload is
// the one that it was, if any, as counted names it.
func (s *Registry) leasedNow(full, upload string, d digest.Digest, size int64) {
	s.usage.Lease(access.NamespaceOf(full), upload, quota.Leased{Blob: d, Size: size, Until: time.Now().Add(s.LeaseTerm)})
}

// counted is by what the quota of a namespace knows an upload: only under the name
// of its own repository is there one of that id.
func counted(full, id string) string { return full + "/" + id }

// metered is the body of a request that sends content of the blob d, if that is
// known. What the client announces has to fit at once. Call end in every case.
//
// The request counts by itself until end, so that requests for one upload at the
// same moment do not take what the others announced for their own.
func (s *Registry) metered(r *http.Request, body io.Reader, full string, d digest.Digest) (m *bodies.Meter, end func(), err error) {
	namespace, id := access.NamespaceOf(full), uuid.NewString()
	m, err = bodies.NewMeter(body, r.ContentLength, func(size int64) error {
		return overQuota(namespace, s.usage.Grow(r.Context(), namespace, id, size, d))
	})
	return m, func() { s.usage.Ended(namespace, id) }, err
}
