package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
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

// Keep makes the file unless it is there. Its bytes are random: a file system that
// compresses would hold no space for others.
func (b *Ballast) Keep() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if info, err := os.Stat(b.path); b.size == 0 || err == nil && info.Size() >= b.size {
		return nil
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
