package leases

import (
	"context"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// reading stands before the name of a repository in leases by which what was deleted from
// it is read as of an earlier time. No repository has such a name. Such a lease
// fences a blob, or a manifest, as any other does; but it opens no
// blob to others, and it does not count for a quota: whoever may read can cause one.
const reading = "~"

func isReading(repo string) bool { return strings.HasPrefix(repo, reading) }

// TakeForReading keeps deleted manifests and their blobs readable in a repository until a
// time. All or none: a *LeavingError names those that are being removed.
func (s *Store) TakeForReading(ctx context.Context, repo string, until time.Time, ds ...digest.Digest) error {
	return s.Take(ctx, reading+repo, until, ds...)
}

// Reading says whether a deleted manifest, or a blob of one, can be read in a repository,
// and until when.
func (s *Store) Reading(ctx context.Context, repo string, d digest.Digest) (until time.Time, ok bool, err error) {
	return s.Has(ctx, reading+repo, d)
}

// EndReading ends all leases for reading: what was deleted can be collected.
func (s *Store) EndReading(ctx context.Context) error {
	return s.change(ctx, noLock, func(t *tx) error {
		now := operations.Micros(time.Now())
		_, err := t.Exec(`UPDATE leases SET until = $1 WHERE until > $1 AND substr(repository, 1, 1) = $2`, now, reading)
		if err == nil && t.mem != nil {
			t.mem.endReading(now)
		}
		return err
	})
}

func (m *mirror) endReading(now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.byDigest {
		for k := range f.leases {
			if isReading(f.leases[k].repo) {
				f.leases[k].until = min(f.leases[k].until, now)
			}
		}
	}
}
