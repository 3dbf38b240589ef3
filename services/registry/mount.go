package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/access"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
)

// mount leases to a name a blob that the principal can read in another
// repository, in any one when from is empty (distribution-spec, "Mounting a blob
// from another repository"). False: the client has to upload the blob. A client
// that may not read the source gets false, too, and so learns nothing about what
// is there.
func (s *Registry) mount(r *http.Request, who access.Principal, name, from string, d digest.Digest) (bool, error) {
	ctx := r.Context()
	if from == "" {
		if from = s.holder(r, name, d); from == "" {
			return false, nil
		}
	} else if _, err := s.Access.Authorize(r, access.Need{Repository: from, Level: access.Read}); err != nil {
		if d, rerr := s.Rights.Repository(ctx, who, from); rerr == nil && d.Level >= access.Read {
			// The account may read it, and only the token was issued without it: the
			// challenge names both repositories.
			_, err = s.Access.Authorize(r, access.Need{Repository: name, Level: access.Write}, access.Need{Repository: from, Level: access.Read})
			return false, err
		}
		s.Logger.Debug("no mount", "to", name, "from", from, "error", err)
		return false, nil
	}
	source, err := fullName(from)
	if err != nil {
		return false, nil // nothing can be mounted from there
	}
	// A lease outlives its blob when the blob was not synced before a restart.
	size, err := s.Blobs.Stat(ctx, d)
	if err != nil {
		if errors.Is(err, blobs.ErrNotFound) {
			err = nil
		}
		return false, err
	}
	if err := s.leaseRoom(ctx, name, d, size); err != nil {
		return false, err
	}
	err = s.Leases.TakeIf(ctx, source, name, d, s.seen())
	if errors.Is(err, leases.ErrNoLease) {
		if _, err = s.blob(ctx, source, d, s.seen()); err == nil {
			err = s.Leases.Take(ctx, name, time.Now().Add(s.LeaseTerm), d)
		}
	}
	var p *problem
	if errors.As(err, &p) || errors.Is(err, leases.ErrLeaving) {
		return false, nil
	}
	if err == nil {
		s.leasedNow(name, "", d, size)
		s.Metrics.Mounts.Inc()
	}
	return err == nil, err
}

// maxHolders bounds how many repositories an automatic mount looks at.
const maxHolders = 8

// holderTime is how long the search for a holder takes, always: a client must not
// learn by time how many repositories, which it may not see, have the blob.
const holderTime = 200 * time.Millisecond

// holder finds a repository in which this request can read the blob; "" when it
// cannot in any of the first few. The repository that is pushed to comes first.
// The request counts, not its account: its token may allow less.
func (s *Registry) holder(r *http.Request, name string, d digest.Digest) string {
	if _, err := s.blob(r.Context(), name, d, s.seen()); err == nil {
		return name
	}
	ctx, cancel := context.WithTimeout(r.Context(), holderTime)
	defer cancel()
	from := s.search(r.WithContext(ctx), d)
	<-ctx.Done()
	return from
}

// search is holder among all repositories, until its time is over.
func (s *Registry) search(r *http.Request, d digest.Digest) string {
	ctx := r.Context()
	names, err := s.Images.LiveHolders(ctx, d, maxHolders-1)
	if leased, lerr := s.Leases.Holder(ctx, d); lerr != nil {
		err = lerr
	} else if leased != "" {
		names = append(names, leased)
	}
	for _, from := range names {
		if err != nil || ctx.Err() != nil {
			break
		}
		if _, denied := s.Access.Authorize(r, access.Need{Repository: from, Level: access.Read}); denied == nil {
			return from
		}
	}
	if err != nil && ctx.Err() == nil {
		s.Logger.Warn("cannot look for a blob to mount", "digest", d, "error", err)
	}
	return ""
}
