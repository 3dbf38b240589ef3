// Package caged is what the drivers share that build in cages: a directory, the way
// to the registry, and the life of a build from its control group to its end.
package caged

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
	"hubledger/services/internal/egress"
)

// A Config says how a machine builds.
type Config struct {
	// Dir is a directory of the driver alone; two drivers never share one. What is
	// in it when the driver is made is removed.
	Dir string
	// Hub is where the registry is reached from this machine, such as
	// http://127.0.0.1:5050.
	Hub *url.URL
	// Registry is the name of the registry in names of images, such as
	// hub.example.com, or 127.0.0.1:5050.
	Registry string
	// Aliases are other names of it that builds may use, such as localhost:5050. Those
	// that no build can use are left out.
	Aliases []string
	// TLS is for connections to the hub; nil for the system's authorities.
	TLS *tls.Config
	// Credentials are asked for the tokens of builds; nil for none.
	Credentials func(s driver.Spec) relay.Credentials
	// Tags lets builds push by tags, which the hub does not see; see relay.Config.
	Tags bool
	// Egress judges what builds with a network connect to; nil: none has one.
	Egress *egress.Guard
	Logger *slog.Logger
}

// A Method is a way to build in a cage.
type Method interface {
	// Cage says what a build runs in. The directory, the disk, the control group and
	// the sockets are none of its business, nor where Stdout and the like go.
	Cage(a *Attempt) (cage.Config, error)
	// Made is what was made, after the program of the cage ended well.
	Made(a *Attempt, exit cage.Exit, way *relay.Relay) (driver.Result, error)
	// Failed finds out why a build failed.
	Failed(e Evidence) *driver.Failure
}

// An Attempt is what a method has to know of a build.
type Attempt struct {
	Spec     *driver.Spec
	Places   driver.Places
	Root     string   // the checkout, without symbolic links
	Registry string   // its name in names of images
	Names    []string // all its names, Registry first
	Password string   // that the relay wants to see, see LoginFile
	// Warn tells something of the whole build, once its program has ended.
	Warn func(text string)

	// Steps are the names of the steps that there were, sorted; once it has ended well.
	Steps []string
}

// A Driver builds in cages.
type Driver struct {
	config Config
	method Method
	marker string // that the names of its control groups begin with
	lock   *os.File
}

// New makes a driver. It removes what an earlier one on the same directory left when
// it was killed.
func New(c Config, m Method) (_ *Driver, err error) {
	if _, _, err := listenAddress(c.Registry); err != nil {
		return nil, err
	}
	c.Aliases = usable(c.Registry, c.Aliases)
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of builds: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(c.Dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the directory of builds: %w", err)
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, fmt.Errorf("lock the directory of builds %s: another builder uses it: %w", c.Dir, err)
	}
	d := &Driver{config: c, method: m, marker: cgroup.Marker(c.Dir), lock: lock}
	if err := d.sweep(); err != nil {
		return nil, fmt.Errorf("remove what an earlier builder left: %w", err)
	}
	return d, nil
}

// sweep removes what is left of builds whose driver was killed. Their processes and
// mounts have ended with it.
func (d *Driver) sweep() error {
	errs := []error{cgroup.Sweep(d.marker)}
	entries, err := os.ReadDir(d.config.Dir)
	errs = append(errs, err)
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, os.RemoveAll(filepath.Join(d.config.Dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// Marker is what the names of the control groups of its builds begin with.
func (d *Driver) Marker() string { return d.marker }

// Close gives the directory up. Destroy all builds before.
func (d *Driver) Close() error { return d.lock.Close() }

// Prepare is of driver.Driver.
func (d *Driver) Prepare(_ context.Context, s driver.Spec) (driver.Build, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Network && d.config.Egress == nil {
		return nil, driver.ErrNetwork
	}
	if s.Image != "" && !strings.HasPrefix(s.Image, d.config.Registry+"/") {
		return nil, fmt.Errorf("the builder pushes to %s only, not to %s", d.config.Registry, s.Image)
	}
	places, err := s.Find()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(d.config.Dir, s.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of a build: %w", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "root"), 0o700); err != nil {
		return nil, errors.Join(fmt.Errorf("make the directory of a build: %w", err), os.RemoveAll(dir))
	}
	return newBuild(d, s, places, dir), nil
}
