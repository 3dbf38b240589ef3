package blobs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FS is what the store needs from the operating system, in one place so that
// a test can lose what was never synced. Files are real ones: what is read
// from a blob goes to the network without passing through the program.
type FS interface {
	MkdirAll(dir string) error
	// OpenFile opens a file or, for reading, a directory. A file that it
	// creates is for the owner alone.
	OpenFile(path string, flag int) (*os.File, error)
	Lstat(path string) (fs.FileInfo, error)
	// Rename replaces what is at the new path, atomically.
	Rename(from, to string) error
	Remove(path string) error
	WriteAt(f *os.File, p []byte, at int64) (int, error)
	Truncate(f *os.File, size int64) error
	// Sync returns when a file's content or a directory's entries are durable.
	Sync(f *os.File) error
	// SyncAll returns when everything on the file system that holds f is durable.
	SyncAll(f *os.File) error
	// Space is what is free for us on the disk that holds dir, and its size, in bytes.
	Space(dir string) (free, total int64, err error)
}

// OS is the operating system's FS.
type OS struct{}

func (OS) MkdirAll(dir string) error              { return os.MkdirAll(dir, 0o700) }
func (OS) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }
func (OS) Remove(path string) error               { return os.Remove(path) }
func (OS) Truncate(f *os.File, size int64) error  { return f.Truncate(size) }
func (OS) Sync(f *os.File) error                  { return f.Sync() }
func (OS) OpenFile(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag, 0o600)
}

// Rename leaves out the look at the new name that os.Rename takes first.
func (OS) Rename(from, to string) error {
	if err := unix.Rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// SyncAll is syncfs(2), which reports lost writes since Linux 5.8.
func (OS) SyncAll(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var syncErr error
	if err := conn.Control(func(fd uintptr) { syncErr = unix.Syncfs(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("syncfs", syncErr)
}

func (OS) WriteAt(f *os.File, p []byte, at int64) (int, error) { return f.WriteAt(p, at) }
func (OS) Space(dir string) (free, total int64, err error)     { return FreeSpace(dir) }

// FreeSpace is what an unprivileged process may still write to the disk that
// holds dir, and the disk's size, both in bytes.
func FreeSpace(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), nil
}

func syncDir(fsys FS, dir string) error {
	f, err := fsys.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	return fsys.Sync(f)
}

// eachName calls fn for every entry of a directory, however large, and may
// remove it.
func eachName(fsys FS, dir string, fn func(name string) error) error {
	f, err := fsys.OpenFile(filepath.Clean(dir), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, name := range names {
			if err := fn(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
