// Package drivers makes the driver of a machine that builds, out of those that it has
// the programs for.
package drivers

import (
	"errors"
	"path/filepath"
	"strings"

	"hubledger/services/builder/buildkit"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/dockerd"
	"hubledger/services/builder/driver"
)

// Tools are the programs that a machine builds with.
type Tools struct {
	BuildKit buildkit.Tools
	Docker   dockerd.Tools
	// Hooks lets builds run Docker Hub's hooks and autotests.
	Hooks bool
}

// FindTools looks for the programs in a directory, and then on PATH.
func FindTools(dir string, hooks bool) Tools {
	return Tools{BuildKit: buildkit.FindTools(dir), Docker: dockerd.FindTools(dir), Hooks: hooks}
}

// Check says all that this machine lacks for builds without hooks, and what installs it.
func (t Tools) Check() error { return t.BuildKit.Check() }

var errHooksOff = errors.New("hooks and autotests are off on this builder, because they own the engine that builds; its operator turns them on with --builder-hooks on")

// CheckHooks says why hooks and autotests cannot be run.
func (t Tools) CheckHooks() error {
	if !t.Hooks {
		return errHooksOff
	}
	if err := t.Docker.Check(); err != nil {
		return errors.New("this builder cannot run hooks and autotests: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// New makes the driver. Each of those below has a directory of its own in c.Dir. What is
// missing for hooks is logged, and is why builds that have some fail.
func New(c caged.Config, t Tools) (driver.Driver, error) {
	in := func(name string) caged.Config {
		of := c
		of.Dir = filepath.Join(c.Dir, name)
		return of
	}
	plain, err := buildkit.New(in("buildkit"), t.BuildKit)
	if err != nil {
		return nil, err
	}
	s := dockerd.Switch{Others: plain, Why: t.CheckHooks()}
	if s.Why != nil {
		if t.Hooks {
			c.Logger.Warn("builds with hooks or autotests fail here", "reason", s.Why)
		}
		return s, nil
	}
	hooks, err := dockerd.New(in("docker"), t.Docker)
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	s.Hooks = hooks
	return s, nil
}
