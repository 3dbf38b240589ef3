package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrLocked: another process has the data directory open.
var ErrLocked = errors.New("the data directory is in use")

// A Lock is an exclusive lock on a data directory, held until it is released
// or the process ends. NATS takes none: two servers on one directory would
// both acknowledge, and the writes of one would vanish.
type Lock struct{ f *os.File }

// LockDir locks the file "lock" in a data directory. The error wraps ErrLocked
// and names the process that holds the lock.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		holder := "another process"
		if pid, _ := io.ReadAll(io.LimitReader(f, 20)); len(pid) > 0 {
			holder = "process " + strings.TrimSpace(string(pid))
		}
		return nil, fmt.Errorf("%w: %s holds %s; stop it, or start with another data directory", ErrLocked, holder, path)
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &Lock{f}, nil
}

// Path is the file that is locked.
func (l *Lock) Path() string { return l.f.Name() }

// Protects reports whether the locked file still is the one at Path. If it was
// removed or replaced, another process could lock the new file.
func (l *Lock) Protects() (bool, error) {
	locked, err := l.f.Stat()
	if err != nil {
		return false, err
	}
	atPath, err := os.Stat(l.f.Name())
	return err == nil && os.SameFile(locked, atPath), nil
}

// Release keeps the file: removing it would let two processes lock two files of one name.
func (l *Lock) Release() error { return l.f.Close() }
