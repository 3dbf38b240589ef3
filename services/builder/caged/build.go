package caged

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/proxy"
	"hubledger/services/builder/relay"
	"hubledger/services/internal/redact"
)

// A build is of driver.Build.
type build struct {
	driver *Driver
	spec   driver.Spec
	places driver.Places
	dir    string
	mask   *redact.Set

	stop context.CancelCauseFunc // ends what runs
	ctx  context.Context         // done when it is to end; its cause is a *driver.Failure

	mu    sync.Mutex
	begun bool
	ended chan struct{} // closed when Run returned; nil when it never began
	group *cgroup.Group
}

func newBuild(d *Driver, s driver.Spec, p driver.Places, dir string) *build {
	b := &build{driver: d, spec: s, places: p, dir: dir}
	b.ctx, b.stop = context.WithCancelCause(context.Background())
	var values [][]byte
	for _, v := range s.Secrets {
		values = append(values, v)
	}
	b.mask = redact.New(values...)
	return b
}

var errRunTwice = errors.New("a build is run once, before it is destroyed")

// Run is of driver.Build.
func (b *build) Run(ctx context.Context, emit func(driver.Event)) (driver.Result, error) {
	b.mu.Lock()
	if b.begun {
		b.mu.Unlock()
		return driver.Result{}, errRunTwice
	}
	b.begun, b.ended = true, make(chan struct{})
	b.mu.Unlock()
	defer close(b.ended)

	limit := time.AfterFunc(b.spec.Limits.Time, func() {
		b.stop(driver.Failuref(driver.TimeLimit, "the build took longer than %s", b.spec.Limits.Time))
	})
	defer limit.Stop()
	defer context.AfterFunc(ctx, b.Cancel)()

	result, err := b.run(emit)
	if b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	var f *driver.Failure
	if err != nil && !errors.As(err, &f) {
		f = driver.Failuref(driver.Broken, "%w", err)
	}
	if err := b.removeGroup(); err != nil {
		b.driver.config.Logger.Error("a build leaves a control group behind", "build", b.spec.ID, "error", err)
	}
	if f != nil {
		masked := *f
		masked.Text = b.mask.String(f.Text)
		return driver.Result{}, &masked
	}
	return result, nil
}

// Cancel is of driver.Build.
func (b *build) Cancel() {
	b.stop(driver.Failuref(driver.Cancelled, "the build was cancelled"))
}

// Destroy is of driver.Build.
func (b *build) Destroy() error {
	b.Cancel()
	b.mu.Lock()
	b.begun = true // it never runs from here on
	ended := b.ended
	b.mu.Unlock()
	if ended != nil {
		<-ended
	}
	return errors.Join(b.removeGroup(), os.RemoveAll(b.dir))
}

func (b *build) removeGroup() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.group == nil {
		return nil
	}
	if err := b.group.Remove(); err != nil {
		return err
	}
	b.group = nil
	return nil
}

func (b *build) run(emit func(driver.Event)) (driver.Result, error) {
	group, err := cgroup.New(b.driver.marker+b.spec.ID, cgroup.Limits{CPU: b.spec.Limits.CPU, Memory: b.spec.Limits.Memory, PIDs: b.spec.Limits.PIDs})
	if err != nil {
		return driver.Result{}, err
	}
	b.mu.Lock()
	b.group = group
	b.mu.Unlock()

	p := newProgress(b.mask, b.spec.Limits.Log, emit)
	daemon := &Tail{}
	a := &Attempt{Spec: &b.spec, Places: b.places, Registry: b.driver.config.Registry, Names: append([]string{b.driver.config.Registry}, b.driver.config.Aliases...), Password: rand.Text(),
		Warn: func(text string) { p.say(driver.Event{Kind: driver.Warned, Time: time.Now(), Text: text}) }}
	c, err := b.cage(a, group)
	if err != nil {
		return driver.Result{}, err
	}
	c.Stdout, c.Stderr, c.DaemonLog = p, p, daemon
	running, err := cage.Start(b.ctx, c)
	if err != nil && group.OutOfMemory() {
		err = driver.Failuref(driver.Memory, "%s of memory are not enough to begin: %w", Size(b.spec.Limits.Memory), err)
	}
	if err != nil {
		return driver.Result{}, err
	}
	way := b.relay(a.Password)
	defer way.Close()
	toHub := running.Listeners
	if b.spec.Network {
		network := proxy.New(b.driver.config.Egress, b.driver.config.Logger)
		last := len(toHub) - 1
		go network.Serve(toHub[last])
		defer network.Close()
		toHub = toHub[:last]
	}
	for _, l := range toHub {
		go way.Serve(l)
	}
	w := watch(b, running, p, group)
	defer context.AfterFunc(b.ctx, running.Kill)()
	exit, err := running.Wait()
	p.end()
	w.end()
	if err != nil {
		return driver.Result{}, err
	}
	if exit.Code == 0 && exit.Error == "" {
		a.Steps = p.names()
		return b.driver.method.Made(a, exit, way)
	}
	if b.ctx.Err() == nil {
		b.driver.config.Logger.Debug("a build failed", "build", b.spec.ID, "exit", exit.Code, "daemon", exit.Daemon, "error", exit.Error, "log", daemon.String())
	}
	return driver.Result{}, b.driver.method.Failed(p.evidence(Evidence{Attempt: a, Exit: exit, Daemon: daemon.String(),
		OutOfMemory: group.OutOfMemory(), OutOfPIDs: group.OutOfPIDs(), LeastFree: w.least(), Relay: way}))
}

// cage says what the build runs in.
func (b *build) cage(a *Attempt, group *cgroup.Group) (c cage.Config, err error) {
	if a.Root, err = b.spec.Root(); err != nil {
		return c, err
	}
	if c, err = b.driver.method.Cage(a); err != nil {
		return c, err
	}
	c.Dir, c.Disk, c.Group, c.Listen, c.Hosts = b.dir, b.spec.Limits.Disk, group, listenAddresses(a.Names), HostsOf(a.Names)
	if b.spec.Network {
		c.Listen = append(c.Listen, proxyListens)
	}
	return c, nil
}

func (b *build) relay(password string) *relay.Relay {
	config := &b.driver.config
	c := relay.Config{Hub: config.Hub, Name: config.Registry, TLS: config.TLS, Logger: config.Logger, Cache: b.spec.Cache, Tags: config.Tags, Password: password,
		Repository: strings.TrimPrefix(strings.TrimPrefix(b.spec.Image, config.Registry), "/")}
	if config.Credentials != nil {
		c.Credentials = config.Credentials(b.spec)
	}
	return relay.New(c)
}
