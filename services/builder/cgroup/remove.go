package cgroup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// removeWithin bounds how long the end of the processes of a group is awaited. One
// that is in the middle of a write to a slow disk takes a while.
const removeWithin = 10 * time.Second

// Remove ends all processes of the group and removes it with all below it. Again,
// it does nothing.
func (g *Group) Remove() error {
	g.closeNotice()
	return remove(g.list, g.name)
}

// Marker is what the names of groups begin with that belong to a directory, an
// absolute path: whoever has the directory sweeps its groups and no others.
func Marker(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:4]) + "-"
}

// Sweep removes the groups whose names begin with a prefix: those of builds whose
// program was killed.
func Sweep(prefix string) error {
	list, err := Hierarchies()
	if err != nil {
		return err
	}
	var names []string
	for _, h := range list {
		entries, err := os.ReadDir(filepath.Join(h.Path, base))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), prefix) && !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, remove(list, name))
	}
	return errors.Join(errs...)
}

func remove(list []Hierarchy, name string) error {
	until := time.Now().Add(removeWithin)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		var errs []error
		for _, h := range list {
			dir := filepath.Join(h.Path, base, name)
			kill(dir)
			errs = append(errs, removeTree(dir))
		}
		err := errors.Join(errs...)
		if err == nil || time.Now().After(until) {
			if err != nil {
				err = fmt.Errorf("remove the control group %s: %w", name, err)
			}
			return err
		}
		time.Sleep(pause)
	}
}

// kill sends SIGKILL to all processes of a group and of those below it.
func kill(dir string) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil // gone meanwhile
		}
		text, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				unix.Kill(pid, unix.SIGKILL)
			}
		}
		return nil
	})
}

// removeTree removes a group and those below it. The files in them are the kernel's.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := unix.Rmdir(dir); err != nil && !isGone(err) {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}
