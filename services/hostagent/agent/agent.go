// Package agent is what runs on a host: it asks the hub what is to run there, makes it so
// by the engine's API, and reports what it sees. It goes by the labels of containers and by
// its state on the disk, so that it can be killed at any point, and works on while the hub
// is away.
package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

// Config is what an agent works with. All fields but Sockets and Times are required.
type Config struct {
	Dir     string // where its state is
	Machine string // id of this host
	Name    string // of this host
	Engine  *client.Client
	Hub     wire.Hub
	URL     *url.URL    // of the hub, whose registry says how large images are
	TLS     *tls.Config // for that
	Bind    netip.Addr  // address on which the ports of web services are published
	// Sockets are the runtime sockets of the balancers on this host.
	Sockets []balancer.Socket
	// StateFile is where the state of the servers of the first of them is kept, which HAProxy
	// reads when it starts; "" for nowhere.
	StateFile string
	Times     Times
	Logger    *slog.Logger
}

// Times are how long things take. A zero is the default.
type Times struct {
	Probe    time.Duration // between two probes; default: 1 s
	Steady   time.Duration // how long what has no health check is to run to be healthy; default: 10 s
	Trial    time.Duration // that what ends over and over is tried before it is given up; default: 20 s
	Report   time.Duration // between two reports when nothing changes; default: 5 s
	Unknown  time.Duration // that a drain waits without Sockets, where sessions are not known; default: 10 s
	Deadline time.Duration // after which a drain ends sessions; default: 60 s
}

func (t *Times) fill() {
	for at, preset := range map[*time.Duration]time.Duration{&t.Probe: time.Second, &t.Steady: 10 * time.Second, &t.Trial: 20 * time.Second, &t.Report: 5 * time.Second,
		&t.Unknown: 10 * time.Second, &t.Deadline: time.Minute} {
		if *at <= 0 {
			*at = preset
		}
	}
}

// An Agent is one host's.
type Agent struct {
	Config
	store *store

	networks sync.Mutex // held while one is looked for and made

	web *http.Client // to the hub's registry

	mu     sync.Mutex
	ctx    context.Context
	slots  map[string]*slot
	work   sync.WaitGroup
	engine hosting.Engine
	root   string        // directory of the engine, if it is on this machine
	news   chan struct{} // has an element when there is something to report
	shares chan struct{} // has an element when the weights may have changed
}

// Open reads the state that the host was to be in.
func Open(c Config) (*Agent, error) {
	c.Times.fill()
	s, err := openStore(c.Dir, c.Logger)
	if err != nil {
		return nil, err
	}
	return &Agent{Config: c, store: s, slots: map[string]*slot{}, news: make(chan struct{}, 1), shares: make(chan struct{}, 1),
		web: &http.Client{Transport: &http.Transport{TLSClientConfig: c.TLS, Proxy: http.ProxyFromEnvironment}}}, nil
}

// Run works until ctx ends. Containers go on then.
func (a *Agent) Run(ctx context.Context) {
	a.ctx = ctx
	a.work.Go(func() { a.watchEngine(ctx) })
	a.work.Go(func() { a.report(ctx) })
	a.work.Go(func() { a.janitor(ctx) })
	a.work.Go(func() { a.keepServers(ctx) })
	a.work.Go(func() { a.answer(ctx) })
	a.apply()
	a.follow(ctx)
	a.work.Wait()
}

// Slots are what this host is to run, as of the last state that it has.
func (a *Agent) Slots() []hosting.Slot { return a.store.state().Slots }

// follow asks the hub for the state, over and over.
func (a *Agent) follow(ctx context.Context) {
	for ctx.Err() == nil {
		now := a.store.state()
		state, err := a.Hub.Sync(ctx, now.Generation, now.Epoch)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			level := slog.LevelWarn
			if errors.Is(err, wire.ErrRevoked) {
				level = slog.LevelDebug // the connection has said so
			}
			a.Logger.Log(ctx, level, "the hub did not answer what should run here; running containers keep running", "error", err)
			pause(ctx, time.Second+rand.N(2*time.Second))
		case state != nil:
			if err := a.store.accept(*state); err != nil {
				a.Logger.Error("what the hub wants is refused", "error", err)
				pause(ctx, 5*time.Second)
				continue
			}
			a.apply()
			a.tell()
			select {
			case a.shares <- struct{}{}:
			default:
			}
		}
	}
}

// tell has what is seen reported soon.
func (a *Agent) tell() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// pause waits, and is false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
