package blobs

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// Usage is what the durable blobs take.
type Usage struct {
	Blobs   int64
	Bytes   int64 // of content
	Pending int   // blobs that wait for a Sync, not counted above
	Exact   bool  // false while the blobs are still being counted after Open
}

// usage counts blobs. After Open they are counted once in the background.
// Until that has ended, removals and replacements wait and additions are
// remembered, so that every blob counts once.
type usage struct {
	cancel  context.CancelFunc
	counted chan struct{} // closed when the count has ended

	mu           sync.Mutex
	blobs, bytes int64
	added        map[digest.Digest]struct{} // while counting
	exact        bool
}

// Usage says how many blobs there are and what they take, in constant time.
func (s *Store) Usage() Usage {
	s.pending.mu.RLock()
	pending := len(s.pending.byDigest)
	s.pending.mu.RUnlock()
	u := &s.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	return Usage{Blobs: u.blobs, Bytes: u.bytes, Pending: pending, Exact: u.exact}
}

func (s *Store) startCounting() {
	u := &s.usage
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel, u.counted, u.added = cancel, make(chan struct{}), map[digest.Digest]struct{}{}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer close(u.counted)
		err := s.Walk(ctx, func(d digest.Digest, size int64, _ time.Time) error {
			u.mu.Lock()
			defer u.mu.Unlock()
			if _, ok := u.added[d]; !ok {
				u.blobs++
				u.bytes += size
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("blobs cannot be counted", "err", err)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.added, u.exact = nil, err == nil
	}()
}

// adding announces that d is about to get its name; old is the size of the file
// that it replaces, if it does. count is called when it has its name.
func (u *usage) adding(d digest.Digest, replaced bool, old int64) (count func(size int64)) {
	if replaced {
		<-u.counted
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.added != nil {
		u.added[d] = struct{}{}
	}
	return func(size int64) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.bytes += size - old
		if !replaced {
			u.blobs++
		}
	}
}

// removing waits until removals count; count is called with what was removed.
func (u *usage) removing(ctx context.Context) (count func(size int64), err error) {
	select {
	case <-u.counted:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return func(size int64) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.blobs--
		u.bytes -= size
	}, nil
}
