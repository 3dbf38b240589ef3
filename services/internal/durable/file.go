package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A File is one that is written under a passing name, and gets its own when it is whole.
type File struct {
	fs    FS
	f     *os.File
	path  string
	size  int64
	named bool
}

// Create begins a file in a directory; its passing name begins with prefix.
func Create(fs FS, dir, prefix string) (*File, error) {
	path := filepath.Join(dir, fmt.Sprintf("%s%016x", prefix, rand.Uint64()))
	f, err := fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	return &File{fs: fs, f: f, path: path}, err
}

// Write appends to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.fs.WriteAt(f.f, p, f.size)
	f.size += int64(n)
	return n, err
}

// Size is how much was written, in bytes.
func (f *File) Size() int64 { return f.size }

// Name gives the file its name, in the same directory, in place of what has it. When it
// returns nil, all that was written and the name are on disk; before that the name stands
// for what it stood for.
func (f *File) Name(path string) error {
	if err := f.fs.Sync(f.f); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.fs.Rename(f.path, path); err != nil {
		return err
	}
	f.named = true
	return SyncDir(f.fs, filepath.Dir(path))
}

// Close ends writing, and removes the file if it has got no name.
func (f *File) Close() error {
	err := f.f.Close()
	if !f.named {
		err = errors.Join(err, f.fs.Remove(f.path))
	}
	return err
}

// Replace replaces a file as a whole, as ReplaceFile does, by way of one whose name begins
// with prefix.
func Replace(fs FS, path string, content []byte, prefix string) error {
	f, err := Create(fs, filepath.Dir(path), prefix)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Name(path)
	}
	return errors.Join(err, f.Close())
}

// MakeDir makes a directory below root, or root itself, with what is missing above it. When
// it returns nil, the names of all directories from root on are on disk.
func MakeDir(fsys FS, root, dir string) error {
	top := filepath.Clean(root)
	for above := filepath.Dir(top); above != top; above = filepath.Dir(above) {
		if _, err := os.Stat(above); err == nil {
			break
		}
		top = above
	}
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	// The deepest first, so that no name is on disk before what it names.
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		err := SyncDir(fsys, filepath.Dir(at))
		if at == top || at == filepath.Dir(at) {
			if errors.Is(err, fs.ErrPermission) {
				return nil // it is somebody else's, who has made the name as well
			}
			return err
		}
		if err != nil {
			return err
		}
	}
}

// SyncDir returns when the names in a directory are on disk.
func SyncDir(fs FS, dir string) error {
	d, err := fs.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	if err := errors.Join(fs.Sync(d), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
