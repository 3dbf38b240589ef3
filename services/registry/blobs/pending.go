package blobs

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/opencontainers/go-digest"
)

// A pendingBlob is verified and not yet durable. Its file stays open: fsync
// reports a lost write for sure only to the descriptor that wrote.
type pendingBlob struct {
	digest  digest.Digest
	element *list.Element // in the set's order
	size    int64
	f       *os.File
	named   chan struct{} // closed when its file has its name in pending/, or never will
	refused error         // why it never will; written before named is closed
	started bool          // someone syncs it; guarded by the set
	done    chan struct{} // closed when it is durable, or lost
	err     error         // why it is lost; written before done is closed
}

// isReadable says whether the file has its name in pending/.
func (p *pendingBlob) isReadable() bool {
	select {
	case <-p.named:
		return p.refused == nil
	default:
		return false
	}
}

type pendingSet struct {
	mu       sync.RWMutex
	byDigest map[digest.Digest]*pendingBlob
	order    list.List // the oldest first
}

func (set *pendingSet) get(d digest.Digest) *pendingBlob {
	set.mu.RLock()
	defer set.mu.RUnlock()
	return set.byDigest[d]
}

// claim makes the caller the one who publishes d, unless another one does
// already: then mine is false.
func (set *pendingSet) claim(d digest.Digest) (p *pendingBlob, mine bool) {
	set.mu.Lock()
	defer set.mu.Unlock()
	if p := set.byDigest[d]; p != nil {
		return p, false
	}
	p = &pendingBlob{digest: d, named: make(chan struct{}), done: make(chan struct{})}
	p.element = set.order.PushBack(p)
	set.byDigest[d] = p
	return p, true
}

func (set *pendingSet) remove(p *pendingBlob) {
	set.mu.Lock()
	defer set.mu.Unlock()
	set.order.Remove(p.element)
	delete(set.byDigest, p.digest)
}

// start makes the caller the one who syncs p; mine is true only once.
func (set *pendingSet) start(p *pendingBlob) (mine bool) {
	set.mu.Lock()
	defer set.mu.Unlock()
	mine = !p.started
	p.started = true
	return mine
}

// beyond returns the oldest blob if there are more than limit.
func (set *pendingSet) beyond(limit int) (digest.Digest, bool) {
	set.mu.RLock()
	defer set.mu.RUnlock()
	if set.order.Len() <= limit {
		return "", false
	}
	return set.order.Front().Value.(*pendingBlob).digest, true
}

func (set *pendingSet) all() []digest.Digest {
	set.mu.RLock()
	defer set.mu.RUnlock()
	var ds []digest.Digest
	for d := range set.byDigest {
		ds = append(ds, d)
	}
	return ds
}

// publish makes the verified file at path readable as the blob d. The file
// belongs to the store from here on, also when publish fails.
func (s *Store) publish(ctx context.Context, f *os.File, path string, d digest.Digest, size int64) error {
	p, mine := s.pending.claim(d)
	if !mine {
		// The same content at the same time: one of the two files is enough.
		<-p.named
		f.Close()
		return errors.Join(p.refused, s.fs.Remove(path))
	}
	p.size = size
	if s.isDurable(d, size) {
		s.abandon(p, nil) // whoever has found p meanwhile reads the durable file
		f.Close()
		return s.fs.Remove(path)
	}
	if err := s.fs.Rename(path, s.pendingPath(d)); err != nil {
		f.Close()
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrUploadUnknown // cancelled in the meantime
		} else {
			err = errors.Join(fmt.Errorf("keep %s: %w", d, noSpace(err)), s.fs.Remove(path))
		}
		s.abandon(p, err)
		return err
	}
	p.f = f
	close(p.named)
	if size >= s.cfg.SyncAbove {
		s.completeInBackground(p)
	}
	for ctx.Err() == nil {
		oldest, tooMany := s.pending.beyond(s.cfg.MaxPending)
		if !tooMany {
			break
		}
		_ = s.Sync(ctx, oldest) // an error comes again in the Sync of whoever needs that blob
	}
	return nil
}

// abandon ends a claim without a file in pending/; err is why, nil when the blob
// is durable already.
func (s *Store) abandon(p *pendingBlob, err error) {
	p.refused, p.err = err, err
	s.pending.remove(p)
	close(p.named)
	close(p.done)
}

// isDurable says whether blobs/ has an undamaged file of d with that size.
func (s *Store) isDurable(d digest.Digest, size int64) bool {
	info, err := s.fs.Lstat(s.blobPath(d))
	return err == nil && info.Mode().IsRegular() && info.Size() == size && !s.damaged.has(d)
}
