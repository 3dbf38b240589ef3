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

// A pendingBlob is verified and not yet durable. Its file stays open: only the
// descriptor that wrote is sure to hear from fsync that a write was lost.
type pendingBlob struct {
	digest  digest.Digest
	place   *list.Element
	size    int64
	f       *os.File
	placed  chan struct{} // closed when its file has its name in pending/, or never will
	refused error         // why it never will; written before placed is closed
	started bool          // someone syncs it; guarded by the set
	done    chan struct{} // closed when it is durable, or lost
	err     error         // why it is lost; written before done is closed
}

func (p *pendingBlob) isPlaced() bool {
	select {
	case <-p.placed:
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

// claim makes the caller the one who places d, or returns who does already.
func (set *pendingSet) claim(d digest.Digest) (p *pendingBlob, mine bool) {
	set.mu.Lock()
	defer set.mu.Unlock()
	if p := set.byDigest[d]; p != nil {
		return p, false
	}
	p = &pendingBlob{digest: d, placed: make(chan struct{}), done: make(chan struct{})}
	p.place = set.order.PushBack(p)
	set.byDigest[d] = p
	return p, true
}

func (set *pendingSet) remove(p *pendingBlob) {
	set.mu.Lock()
	defer set.mu.Unlock()
	set.order.Remove(p.place)
	delete(set.byDigest, p.digest)
}

// start makes the caller the one who syncs p, once.
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

// place makes the verified file at path readable as d. The file is the
// store's from here, whatever comes out.
func (s *Store) place(ctx context.Context, f *os.File, path string, d digest.Digest, size int64) error {
	p, mine := s.pending.claim(d)
	if !mine {
		// The same content at the same time: one of the two files is enough.
		<-p.placed
		f.Close()
		return errors.Join(p.refused, s.fs.Remove(path))
	}
	p.size = size
	if s.isWhole(d, size) {
		s.unplace(p, nil) // who has looked at it meanwhile finds the durable one
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
		s.unplace(p, err)
		return err
	}
	p.f = f
	close(p.placed)
	if size >= s.cfg.SyncAbove {
		s.settleInBackground(p)
	}
	for ctx.Err() == nil {
		oldest, tooMany := s.pending.beyond(s.cfg.MaxPending)
		if !tooMany {
			break
		}
		_ = s.Sync(ctx, oldest) // what becomes of it, the one who needs it will hear
	}
	return nil
}

// unplace gives a claim up.
func (s *Store) unplace(p *pendingBlob, err error) {
	p.refused, p.err = err, err
	s.pending.remove(p)
	close(p.placed)
	close(p.done)
}

// isWhole says whether blobs/ has d in the size that its content has.
func (s *Store) isWhole(d digest.Digest, size int64) bool {
	info, err := s.fs.Lstat(s.blobPath(d))
	return err == nil && info.Mode().IsRegular() && info.Size() == size && !s.damaged.has(d)
}
