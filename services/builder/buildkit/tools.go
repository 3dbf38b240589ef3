package buildkit

import (
	"errors"
	"fmt"

	"hubledger/services/builder/caged"
)

// Tools are the paths of the programs that build.
type Tools struct {
	Buildkitd, Buildctl string // v0.33
	Runc                string
}

// FindTools looks for the programs in a directory, such as the one of the hub's own
// program, and then on PATH. What it does not find is "".
func FindTools(dir string) Tools {
	return Tools{Buildkitd: caged.FindProgram(dir, "buildkitd"), Buildctl: caged.FindProgram(dir, "buildctl"), Runc: caged.FindProgram(dir, "runc")}
}

// Check says all that this machine lacks for builds, and what installs it.
func (t Tools) Check() error {
	var errs []error
	lacks := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	lacks(t.Buildkitd == "", "buildkitd is not installed: go tool -modfile=tools/go.mod task builder-tools")
	lacks(t.Buildctl == "", "buildctl is not installed: go tool -modfile=tools/go.mod task builder-tools")
	lacks(t.Runc == "", "runc is not installed: apt install runc")
	return errors.Join(append(errs, caged.CheckMachine())...)
}
