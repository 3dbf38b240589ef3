package faultfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MkdirAll's directories are durable at once, unless LoseDirectories is set: the store makes
// them once, and which of them survive is not what it is tested for.
func (f *FS) MkdirAll(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	if !f.LoseDirectories {
		return f.os.MkdirAll(dir)
	}
	var made []string
	for at := filepath.Clean(dir); at != f.root && at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil {
			break
		}
		made = append(made, at)
	}
	if err := f.os.MkdirAll(dir); err != nil {
		return err
	}
	for _, path := range made {
		f.stands(path, directory)
	}
	return nil
}

func (f *FS) OpenFile(path string, flag int) (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return nil, err
	}
	file, err := f.os.OpenFile(path, flag)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE == 0 {
		f.open[file] = f.inodes[f.relative(path)] // nil for a directory
		return file, nil
	}
	own, err := os.Open(path)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	i := &inode{f: own, dirty: true}
	f.all = append(f.all, i)
	f.open[file] = i
	f.stands(path, i)
	return file, nil
}

func (f *FS) Lstat(path string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return nil, err
	}
	return f.os.Lstat(path)
}

func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	if err := f.os.Rename(from, to); err != nil {
		return err
	}
	i := f.inodes[f.relative(from)]
	f.stands(from, nil)
	f.stands(to, i)
	return nil
}

func (f *FS) Remove(path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	if err := f.os.Remove(path); err != nil {
		return err
	}
	f.stands(path, nil)
	return nil
}

func (f *FS) WriteAt(file *os.File, p []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return 0, err
	}
	i, err := f.inodeOf(file)
	if err != nil {
		return 0, err
	}
	i.dirty = true
	if f.full {
		n, err := f.os.WriteAt(file, p[:len(p)/2], at)
		return n, errors.Join(err, errFull)
	}
	return f.os.WriteAt(file, p, at)
}

func (f *FS) Truncate(file *os.File, size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	i, err := f.inodeOf(file)
	if err != nil {
		return err
	}
	i.dirty = true
	return f.os.Truncate(file, size)
}

// Sync makes durable what f recorded; the real disk is left alone.
func (f *FS) Sync(file *os.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	if f.syncErr != nil {
		return f.syncErr
	}
	info, err := file.Stat()
	if err != nil || f.IgnoreSync {
		return err
	}
	if info.IsDir() {
		f.syncNames(f.relative(file.Name()))
		return nil
	}
	i, err := f.inodeOf(file)
	if err != nil {
		return err
	}
	i.durable, err = readAll(i.f)
	i.dirty = false
	return err
}

// SyncAll makes durable all that there is.
func (f *FS) SyncAll(*os.File) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return err
	}
	if f.syncErr != nil || f.IgnoreSync {
		return f.syncErr
	}
	for _, n := range f.names {
		n.since = n.since[len(n.since)-1:]
		if i := n.since[0]; i != nil && i.dirty {
			content, err := readAll(i.f)
			if err != nil {
				return err
			}
			i.durable, i.dirty = content, false
		}
	}
	return nil
}

func (f *FS) syncNames(dir string) {
	for path, n := range f.names {
		if filepath.Dir(path) == strings.TrimSuffix(dir, "/") {
			n.since = n.since[len(n.since)-1:]
		}
	}
}

func (f *FS) Space(dir string) (free, total int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return 0, 0, err
	}
	return f.os.Space(dir)
}
