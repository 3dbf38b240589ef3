package caged

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
)

// FindProgram looks for a program in a directory, and then on PATH. It is "" when it
// is nowhere.
func FindProgram(dir, name string) string {
	if dir != "" {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if info, statErr := os.Stat(path); err == nil && statErr == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	if path, err = filepath.Abs(path); err != nil {
		return ""
	}
	return path
}

// CheckMachine says all that this machine lacks for cages, and what installs it.
func CheckMachine() error {
	var errs []error
	if os.Geteuid() != 0 {
		errs = append(errs, errors.New("builds run in namespaces that root makes: start the builder as root"))
	}
	if _, err := os.Stat(cage.Mkfs()); err != nil {
		errs = append(errs, errors.New("mkfs.ext4 is not installed: apt install e2fsprogs"))
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		errs = append(errs, errors.New("the kernel has no loop devices: modprobe loop"))
	}
	_, err := cgroup.Hierarchies()
	if err == nil && os.Geteuid() == 0 {
		err = cgroup.Check()
	}
	return errors.Join(append(errs, err)...)
}
