package blobs

import (
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
)

// damagedSet is the blobs that are known to be damaged. It is nearly always empty, so
// reading an empty one costs no lock.
type damagedSet struct {
	count atomic.Int64
	mu    sync.RWMutex
	set   map[digest.Digest]struct{}
}

// MarkDamaged makes blobs read as absent until the next push of their content
// has replaced them durably. Verify sets marks, too. They are in memory: a caller
// that wants to keep them sets them again after Open.
func (s *Store) MarkDamaged(ds ...digest.Digest) {
	s.damaged.mu.Lock()
	defer s.damaged.mu.Unlock()
	for _, d := range ds {
		s.damaged.set[d] = struct{}{}
	}
	s.damaged.count.Store(int64(len(s.damaged.set)))
}

// ClearDamaged takes marks back.
func (s *Store) ClearDamaged(ds ...digest.Digest) {
	for _, d := range ds {
		s.damaged.remove(d)
	}
}

func (set *damagedSet) has(d digest.Digest) bool {
	if set.count.Load() == 0 {
		return false
	}
	set.mu.RLock()
	defer set.mu.RUnlock()
	_, ok := set.set[d]
	return ok
}

func (set *damagedSet) remove(d digest.Digest) (was bool) {
	if set.count.Load() == 0 {
		return false
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	_, was = set.set[d]
	delete(set.set, d)
	set.count.Store(int64(len(set.set)))
	return was
}
