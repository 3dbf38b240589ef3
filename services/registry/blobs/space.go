package blobs

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	gib            = 1 << 30
	defaultReserve = 2 * gib
	spaceInterval  = time.Second // how old a measurement may be
)

// space keeps uploads out of the disk's reserve, at the price of one statfs a
// second and one for each refusal.
type space struct {
	fs      FS
	dir     string
	reserve int64 // as in Config

	measured atomic.Int64 // unix nanoseconds of the last statfs
	left     atomic.Int64 // bytes above the reserve then, less what was admitted since
	mu       sync.Mutex   // one measures at a time
}

// admit says whether n more bytes may be written, and counts them: ErrNoSpace
// below the reserve.
func (s *Store) admit(n int64) error {
	if err := s.fits(n); err != nil {
		return err
	}
	s.space.left.Add(-n)
	return nil
}

// fits is admit without counting: for bytes that are admitted when they arrive.
func (s *Store) fits(n int64) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.space.fits(n)
}

func (sp *space) fits(n int64) error {
	if sp.reserve < 0 {
		return nil
	}
	if time.Since(time.Unix(0, sp.measured.Load())) > spaceInterval && sp.mu.TryLock() {
		err := sp.measure()
		sp.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if sp.left.Load() >= n {
		return nil
	}
	// Somebody may have made room since: a refusal rests on what is free now.
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if err := sp.measure(); err != nil {
		return err
	}
	if sp.left.Load() < n {
		return fmt.Errorf("%w: the disk of %s has less free space than its reserve", ErrNoSpace, sp.dir)
	}
	return nil
}

func (sp *space) measure() error {
	free, total, err := sp.fs.Space(sp.dir)
	if err != nil {
		return fmt.Errorf("measure free space: %w", err)
	}
	sp.left.Store(free - ReserveOf(sp.reserve, total))
	sp.measured.Store(time.Now().UnixNano())
	return nil
}

// ReserveOf is what uploads leave free on a disk of total bytes, where
// configured is as in Config: 0 for the default.
func ReserveOf(configured, total int64) int64 {
	switch {
	case configured < 0:
		return 0
	case configured > 0:
		return configured
	}
	return max(defaultReserve, total/20)
}

// Space is what uploads may still write, in bytes, how much is free on the
// disk at all, and how large it is. When left is not positive, uploads are
// refused.
func (s *Store) Space() (left, free, total int64, err error) {
	free, total, err = s.fs.Space(s.cfg.Dir)
	return free - ReserveOf(s.cfg.Reserve, total), free, total, err
}
