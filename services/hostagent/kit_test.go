package hostagent_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/hostagent"
	"hubledger/services/hostagent/agent"
	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/enginetest"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/command"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/machine"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A world is a hub with a planner of the test's, and hosts with engines.
type world struct {
	t      testing.TB
	hub    *servertest.Server
	hosts  *hostagent.Hosts
	plan   *plan
	Logger *slog.Logger
	// sockets are those of balancers on hosts.
	sockets []balancer.Socket
	// deadline is that of drains; 0: 4 s.
	deadline time.Duration
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, hub: servertest.Start(t, server.Config{}), plan: newPlan(), Logger: slog.New(slog.DiscardHandler)}
	if testing.Verbose() {
		w.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.hosts = hostagent.New(hostagent.Config{Log: w.hub.Log(), People: w.hub.Accounts(), Planner: w.plan, Token: w.hub.Auth().HostToken, Logger: w.Logger})
	return w
}

// push pushes the app as an image, and returns NAME@DIGEST. What is said makes its digest.
func (w *world) push(repository, said string) string {
	w.t.Helper()
	program, err := app()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, program)
	}
	var layer bytes.Buffer
	in := tar.NewWriter(&layer)
	check(w.t, in.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}))
	_, err = in.Write(program)
	check(w.t, err)
	check(w.t, in.WriteHeader(&tar.Header{Name: "said", Mode: 0o644, Size: int64(len(said))}))
	_, err = io.WriteString(in, said)
	check(w.t, err)
	check(w.t, in.Close())
	config, err := json.Marshal(v1.Image{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Config: v1.ImageConfig{Entrypoint: []string{"/app"}},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer.Bytes())}}})
	check(w.t, err)
	c := w.hub.Client()
	check(w.t, c.PushBlob(repository, layer.String()))
	check(w.t, c.PushBlob(repository, string(config)))
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))},
		Layers: []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: digest.FromBytes(layer.Bytes()), Size: int64(layer.Len())}}}
	m.SchemaVersion = 2
	text := registrytest.JSON(m)
	sum := digest.FromBytes(text)
	c.Must(w.t, http.MethodPut, "/v2/"+repository+"/manifests/"+sum.String(), text, "Content-Type", v1.MediaTypeImageManifest).Want(w.t, http.StatusCreated)
	w.hub.CatchUp()
	return strings.TrimPrefix(w.hub.URL, "http://") + "/" + repository + "@" + sum.String()
}

// enroll makes a machine of a kind.
func (w *world) enroll(kind, name, key string) *accounts.Machine {
	w.t.Helper()
	ctx := context.Background()
	token, _, seq, err := machine.Invite(ctx, w.hub.Log(), servertest.By, w.hub.Accounts(), kind, name, nil, time.Hour)
	w.hub.Done(seq, err)
	m, seq, err := machine.Enroll(ctx, w.hub.Log(), command.By{Source: "/test"}, w.hub.Accounts(), kind, token, key)
	w.hub.Done(seq, err)
	found, err := w.hub.Accounts().Machine(ctx, m.Machine)
	check(w.t, err)
	return found
}

// keyOf is a public NKey as far as its shape goes.
func keyOf(letter string) string { return "U" + strings.Repeat(letter, 55) }

// A host is one of the world, with its agent.
type host struct {
	*world
	machine *accounts.Machine
	engine  *enginetest.Engine
	dir     string
	stop    context.CancelFunc
	gone    chan struct{}
	agent   *agent.Agent
	wire    *wired
}

func (w *world) host(name string, e *enginetest.Engine) *host {
	w.t.Helper()
	h := &host{world: w, machine: w.enroll(events.MachineHost, name, keyOf(strings.ToUpper(name[:1]))), engine: e, dir: filepath.Join(w.t.TempDir(), name)}
	check(w.t, os.MkdirAll(h.dir, 0o700))
	h.wire = &wired{h: h}
	w.t.Cleanup(h.kill)
	h.start()
	return h
}

// start starts the agent on the present directory.
func (h *host) start() {
	h.t.Helper()
	at, err := url.Parse(h.hub.URL)
	check(h.t, err)
	a, err := agent.Open(agent.Config{Dir: h.dir, Machine: h.machine.ID, Name: h.machine.Name, Engine: h.engine.Client, Hub: wire.Client{Conn: h.wire}, URL: at, Bind: netip.MustParseAddr("127.0.0.1"), Sockets: h.sockets,
		Times: agent.Times{Probe: 100 * time.Millisecond, Steady: time.Second, Trial: 500 * time.Millisecond, Report: time.Second, Unknown: 200 * time.Millisecond, Deadline: cmp.Or(h.deadline, 4*time.Second)}, Logger: h.Logger})
	check(h.t, err)
	ctx, stop := context.WithCancel(context.Background())
	gone := make(chan struct{})
	h.agent, h.stop, h.gone = a, stop, gone
	go func() { a.Run(ctx); close(gone) }()
}

// kill ends the agent wherever it is.
func (h *host) kill() {
	h.stop()
	<-h.gone
}

// wired is the connection of a host to the hub, in this process.
type wired struct {
	h    *host
	mu   sync.Mutex
	away bool
}

// Request is of wire.Conn.
func (c *wired) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	c.mu.Lock()
	away := c.away
	c.mu.Unlock()
	if away {
		return nil, fmt.Errorf("the hub is away")
	}
	return c.h.hosts.Answer(ctx, c.h.machine, operation, data), nil
}

// cut has the hub away for the host, or back.
func (c *wired) cut(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// A plan is what hosts are to run, as a test says it, and what they see.
type plan struct {
	mu      sync.Mutex
	states  map[string]hosting.State
	seen    map[string]hosting.Observation
	changed map[string]chan struct{}
	epoch   uint64
	news    chan struct{}
}

func newPlan() *plan {
	return &plan{states: map[string]hosting.State{}, seen: map[string]hosting.Observation{}, changed: map[string]chan struct{}{}, news: make(chan struct{}, 1)}
}

// Desired is of hosting.Planner.
func (p *plan) Desired(_ context.Context, host string) (hosting.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.states[host]
	if !ok {
		s.Generation = "g1"
	}
	return s, nil
}

// Changed is of hosting.Planner.
func (p *plan) Changed(host string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed[host] == nil {
		p.changed[host] = make(chan struct{})
	}
	return p.changed[host]
}

// Observed is of hosting.Planner.
func (p *plan) Observed(_ context.Context, host string, o hosting.Observation) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[host] = o
	select {
	case p.news <- struct{}{}:
	default:
	}
	return nil
}

// Pulls is of hosting.Planner.
func (p *plan) Pulls(_ context.Context, host, repository string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.states[host].Slots {
		for _, s := range t.Services {
			if !s.Outside && strings.Contains(s.Pull, "/"+repository+"@") {
				return true, nil
			}
		}
	}
	return false, nil
}

// set says what a host is to run, in a new epoch.
func (p *plan) set(host string, slots []hosting.Slot, gone ...hosting.Gone) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch++
	p.states[host] = hosting.State{Generation: "g1", Epoch: p.epoch, Slots: slots, Gone: gone}
	if c := p.changed[host]; c != nil {
		close(c)
		p.changed[host] = nil
	}
	return p.epoch
}

// last is what a host has said last.
func (p *plan) last(host string) hosting.Observation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[host]
}

// run says what the host is to run. Each slot without a fence gets the epoch as its fence.
func (h *host) run(slots ...hosting.Slot) uint64 {
	h.t.Helper()
	next := h.plan.epoch + 1
	for k := range slots {
		if slots[k].Fence == 0 {
			slots[k].Fence = next
		}
	}
	return h.plan.set(h.machine.ID, slots)
}

// sees waits until the host says something of a slot.
func (h *host) sees(what, slot string, so func(hosting.Seen) bool) hosting.Seen {
	h.t.Helper()
	var last hosting.Observation
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		last = h.plan.last(h.machine.ID)
		for _, s := range last.Slots {
			if s.ID == slot && so(s) {
				return s
			}
		}
		select {
		case <-h.plan.news:
		case <-time.After(100 * time.Millisecond):
		}
	}
	h.t.Fatalf("%s: not so; the host says %+v", what, last)
	return hosting.Seen{}
}

// healthy waits until a slot is healthy in a deployment's fence.
func (h *host) healthy(slot string) hosting.Seen {
	h.t.Helper()
	var fence uint64
	for _, t := range h.plan.states[h.machine.ID].Slots {
		if t.ID == slot {
			fence = t.Fence
		}
	}
	return h.sees(slot+" is healthy", slot, func(s hosting.Seen) bool { return s.Healthy && s.Fence == fence })
}

const environment = "0199d6a5-3c00-7000-8000-0000000000aa"

// webSlot is a colour with one web service.
func webSlot(colour, image string, blue, green int) hosting.Slot {
	return hosting.Slot{ID: environment + "-" + colour, Application: "admin/shop", Environment: "production", Colour: colour, Release: 1, Deployment: "d1", Phase: hosting.Run, Share: 100, Live: 1,
		Services: []hosting.SlotService{{Service: compose.Service{Name: "web", Role: compose.Role{Kind: compose.Web, Port: 8080, Blue: blue, Green: green, Probe: "/"}}, Pull: image, Run: 1}}}
}

// workers adds a service of workers to a slot.
func workers(s hosting.Slot, image string, n int) hosting.Slot {
	s.Services = append(slices.Clone(s.Services), hosting.SlotService{Service: compose.Service{Name: "worker", Role: compose.Role{Kind: compose.Worker}, StopGrace: "20s", Environment: []compose.Variable{{Name: "MODE"}}},
		Pull: image, Run: n, Values: map[string]string{"MODE": "worker"}})
	return s
}

// freePort is one that nothing listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// get is what a port of this machine answers.
func get(t testing.TB, port int, path string) string {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	check(t, err)
	return string(text)
}
