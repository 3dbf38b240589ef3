// Package owner gives what a command run as root has written into a data directory
// to the user that the directory belongs to.
package owner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// GiveFiles gives root's files below a directory to the directory's owner and group,
// so that a hub that runs as that user can use them. It does nothing unless this
// process is root and the directory is another user's. skip names directories just
// below dir that are left as they are.
//
// It does not become the owner instead, because that user may be unable to reach the
// directory: systemd keeps those of dynamic users where only root can go. Nothing
// outside of the directory is changed: links are not followed, and a file that has
// another name somewhere is left alone.
func GiveFiles(dir string, skip ...string) error {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	to, ok := info.Sys().(*syscall.Stat_t)
	if !ok || to.Uid == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		if d.IsDir() && slices.Contains(skip, path) {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return gone(err)
		}
		has, ok := info.Sys().(*syscall.Stat_t)
		if !ok || has.Uid != 0 || !d.IsDir() && has.Nlink > 1 {
			return nil
		}
		if err := root.Lchown(path, int(to.Uid), int(to.Gid)); err != nil {
			return gone(fmt.Errorf("give %s to the owner of %s: %w", path, dir, err))
		}
		return nil
	})
}

// gone passes over what a running hub has removed meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
