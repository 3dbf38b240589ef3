package dockerd

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"hubledger/services/builder/driver"
	"hubledger/services/internal/buildrule"
)

// A Switch gives builds with hooks or autotests to a driver that runs them, and all
// others to another.
type Switch struct {
	Hooks  driver.Driver // nil: none are run
	Why    error         // why Hooks is nil, and what to do
	Others driver.Driver
}

// Prepare is of driver.Driver.
func (s Switch) Prepare(ctx context.Context, spec driver.Spec) (driver.Build, error) {
	places, err := spec.Find()
	if err != nil {
		return nil, err
	}
	found, err := find(&spec, path.Dir(places.Dockerfile))
	switch {
	case err != nil:
		return nil, driver.Failuref(driver.Broken, "look for hooks and autotests: %w", err)
	case len(found) == 0:
		return s.Others.Prepare(ctx, spec)
	case s.Hooks == nil:
		return nil, driver.Failuref(driver.NoHooks, "what is built has %s, which this builder does not run: %w", strings.Join(found, ", "), s.Why)
	}
	return s.Hooks.Prepare(ctx, spec)
}

// find are the paths of the hooks beside a Dockerfile, and of the autotests there that
// are to be run.
func find(s *driver.Spec, dir string) (list []string, err error) {
	root, err := os.OpenRoot(s.Checkout)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, name := range buildrule.Hooks {
		hook := path.Join(dir, "hooks", name)
		if info, err := root.Stat(filepath.FromSlash(hook)); err == nil && info.Mode().IsRegular() {
			list = append(list, hook)
		}
	}
	if !s.Facts.Tests {
		return list, nil
	}
	d, err := root.Open(filepath.FromSlash(dir))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := testsIn(d)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	for _, name := range names {
		list = append(list, path.Join(dir, name))
	}
	return list, nil
}
