package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
)

// A Ballast is a file that holds space on a disk, to be given back when the disk
// is full. Its methods may be called from several goroutines.
type Ballast struct {
	path string
	size int64
	mu   sync.Mutex
}

// NewBallast is a ballast of that many bytes in a file, which is not made yet. With 0
// bytes there is none.
func NewBallast(path string, size int64) *Ballast { return &Ballast{path: path, size: size} }

// Keep makes the file unless it is there. It fails, and writes nothing, when less than
// leave bytes would stay free: others may be writing at this moment. The file's bytes
// are random: a file system that compresses would hold no space for others.
func (b *Ballast) Keep(leave int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	has := int64(0)
	if info, err := os.Stat(b.path); err == nil {
		has = info.Size()
	}
	if has >= b.size {
		return nil
	}
	free, err := FreeSpace(filepath.Dir(b.path))
	if err != nil {
		return err
	}
	if free+has-b.size < leave {
		return fmt.Errorf("%d bytes are free, and %d are to be kept with %d left", free, b.size-has, leave)
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), b.size)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep space free: %w", errors.Join(err, os.Remove(b.path)))
	}
	return nil
}

// GiveBack removes the file, and says whether there was one.
func (b *Ballast) GiveBack() (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := os.Remove(b.path)
	if b.size == 0 || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
