// Package durable writes files that survive a power cut.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ReplaceFile replaces a file as a whole, or creates it: others see either the old
// content or the new. When it returns nil, the new content and its name in the
// directory are on disk. When it fails, the file has the old content or the new, also
// after a power cut, but never a part of either.
func ReplaceFile(path string, content []byte, mode os.FileMode) error {
	return replaceFile(path, content, mode, syncDirectory)
}

func replaceFile(path string, content []byte, mode os.FileMode, syncDirectory func(string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(content); err == nil {
		err = errors.Join(f.Chmod(mode), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return syncDirectory(filepath.Dir(path)) // without it a power cut can undo the rename
}

// Rename gives a file, which is synced, another name in its directory. When it returns nil
// that is on disk.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(to))
}

// syncDirectory returns when the names in a directory are on disk.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
