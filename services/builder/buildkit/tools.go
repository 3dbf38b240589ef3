package buildkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
)

// Tools are the paths of the programs that build.
type Tools struct {
	Buildkitd, Buildctl string // v0.33
	Runc                string
}

// FindTools looks for the programs in a directory, such as the one of the hub's own
// program, and then on PATH. What it does not find is "".
func FindTools(dir string) Tools {
	find := func(name string) string {
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
	return Tools{Buildkitd: find("buildkitd"), Buildctl: find("buildctl"), Runc: find("runc")}
}

// Check says all that this machine lacks for builds, and what installs it.
func (t Tools) Check() error {
	var errs []error
	lacks := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	lacks(os.Geteuid() != 0, "builds run in namespaces that root makes: start the builder as root")
	lacks(t.Buildkitd == "", "buildkitd is not installed: go tool -modfile=tools/go.mod task builder-tools")
	lacks(t.Buildctl == "", "buildctl is not installed: go tool -modfile=tools/go.mod task builder-tools")
	lacks(t.Runc == "", "runc is not installed: apt install runc")
	_, err := os.Stat(cage.Mkfs())
	lacks(err != nil, "mkfs.ext4 is not installed: apt install e2fsprogs")
	_, err = os.Stat("/dev/loop-control")
	lacks(err != nil, "the kernel has no loop devices: modprobe loop")
	_, err = cgroup.Hierarchies()
	errs = append(errs, err)
	return errors.Join(errs...)
}
