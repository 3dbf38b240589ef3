package registrytest

import (
	"context"
	"io/fs"
	"os"

	"hubledger/events"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
)

// A HookedLog calls Before and After round each append; either may be nil. An
// error of Before stands for an append that failed, one of After for an append
// that succeeded and whose answer was lost.
type HookedLog struct {
	registry.Log
	Before, After func(e *events.Event) error
}

// Append implements command.Log.
func (l *HookedLog) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	if l.Before != nil {
		if err := l.Before(&e); err != nil {
			return 0, err
		}
	}
	seq, err := l.Log.Append(ctx, e, expect)
	if err == nil && l.After != nil {
		err = l.After(&e)
	}
	return seq, err
}

// A HookedFS asks Before whenever the blob store changes a file or looks
// whether one is there; its error is the operation's. Removed is told what was removed. Free, when not nil, is
// what the disk has free in bytes.
type HookedFS struct {
	blobs.OS
	Before  func(op, path string) error
	Removed func(path string)
	Free    func() int64
}

func (f *HookedFS) ask(op, path string) error {
	if f.Before == nil {
		return nil
	}
	return f.Before(op, path)
}

// OpenFile implements blobs.FS; only a file that is created is asked about.
func (f *HookedFS) OpenFile(path string, flag int) (*os.File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.ask("create", path); err != nil {
			return nil, err
		}
	}
	return f.OS.OpenFile(path, flag)
}

// Lstat implements blobs.FS.
func (f *HookedFS) Lstat(path string) (fs.FileInfo, error) {
	if err := f.ask("look", path); err != nil {
		return nil, err
	}
	return f.OS.Lstat(path)
}

// Rename implements blobs.FS.
func (f *HookedFS) Rename(from, to string) error {
	if err := f.ask("rename", to); err != nil {
		return err
	}
	return f.OS.Rename(from, to)
}

// Remove implements blobs.FS.
func (f *HookedFS) Remove(path string) error {
	if err := f.ask("remove", path); err != nil {
		return err
	}
	err := f.OS.Remove(path)
	if err == nil && f.Removed != nil {
		f.Removed(path)
	}
	return err
}

// WriteAt implements blobs.FS.
func (f *HookedFS) WriteAt(file *os.File, p []byte, at int64) (int, error) {
	if err := f.ask("write", file.Name()); err != nil {
		return 0, err
	}
	return f.OS.WriteAt(file, p, at)
}

// Sync implements blobs.FS.
func (f *HookedFS) Sync(file *os.File) error {
	if err := f.ask("sync", file.Name()); err != nil {
		return err
	}
	return f.OS.Sync(file)
}

// SyncAll implements blobs.FS.
func (f *HookedFS) SyncAll(file *os.File) error {
	if err := f.ask("sync", file.Name()); err != nil {
		return err
	}
	return f.OS.SyncAll(file)
}

// Space implements blobs.FS.
func (f *HookedFS) Space(dir string) (free, total int64, err error) {
	free, total, err = f.OS.Space(dir)
	if f.Free != nil {
		free = f.Free()
	}
	return free, total, err
}
