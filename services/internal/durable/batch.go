package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FS is what a Batch needs of the operating system, so that a test can lose what was not
// synced. OS is the real one.
type FS interface {
	MkdirAll(dir string) error
	OpenFile(path string, flag int) (*os.File, error)
	Rename(from, to string) error
	Remove(path string) error
	WriteAt(f *os.File, p []byte, at int64) (int, error)
	Sync(f *os.File) error
}

// OS is the operating system's FS. What it makes is for the owner alone.
type OS struct{}

func (OS) MkdirAll(dir string) error    { return os.MkdirAll(dir, 0o700) }
func (OS) Rename(from, to string) error { return os.Rename(from, to) }
func (OS) Remove(path string) error     { return os.Remove(path) }
func (OS) Sync(f *os.File) error        { return f.Sync() }
func (OS) OpenFile(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag, 0o600)
}
func (OS) WriteAt(f *os.File, p []byte, at int64) (int, error) { return f.WriteAt(p, at) }

// A Batch writes many files of one directory, which it makes, and the one above it. Each is replaced as a
// whole: it has its old content or the new, also after a power cut. One Batch writes to a
// directory at a time.
type Batch struct {
	fs    FS
	root  string
	dirty map[string]bool // directories in which names have changed
}

// NewBatch begins a batch below a directory.
func NewBatch(fs FS, root string) *Batch {
	return &Batch{fs: fs, root: filepath.Clean(root), dirty: map[string]bool{}}
}

// Put writes a file; path is below the directory. It is on disk when Sync has returned nil.
func (b *Batch) Put(path string, content []byte) (err error) {
	path = filepath.Join(b.root, filepath.FromSlash(path))
	dir := filepath.Dir(path)
	if !b.dirty[dir] {
		if err := b.fs.MkdirAll(dir); err != nil {
			return err
		}
		// Of a directory that is new, its name above is new, too.
		for at := dir; strings.HasPrefix(at, b.root); at = filepath.Dir(at) {
			b.dirty[at] = true
		}
		parent := filepath.Dir(b.root)
		b.dirty[parent], b.dirty[filepath.Dir(parent)] = true, true
	}
	fresh := path + ".new"
	f, err := b.fs.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = b.fs.WriteAt(f, content, 0)
	if err == nil {
		err = b.fs.Sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return b.fs.Rename(fresh, path)
}

// Sync returns when everything that was put is on disk.
func (b *Batch) Sync() error {
	// The deepest first, so that no name is on disk before what it names.
	dirs := make([]string, 0, len(b.dirty))
	for dir := range b.dirty {
		dirs = append(dirs, dir)
	}
	slices.SortFunc(dirs, func(x, y string) int { return len(y) - len(x) })
	for _, dir := range dirs {
		f, err := b.fs.OpenFile(dir, os.O_RDONLY)
		if err != nil {
			return err
		}
		if err := errors.Join(b.fs.Sync(f), f.Close()); err != nil {
			return fmt.Errorf("sync %s: %w", dir, err)
		}
		delete(b.dirty, dir)
	}
	return nil
}
