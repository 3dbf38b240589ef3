package hostagent_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/hosting"
)

// TestMain runs an agent in a process of its own when a test has started it for that.
func TestMain(m *testing.M) {
	if text := os.Getenv(agentOrders); text != "" {
		os.Exit(runAgent(text))
	}
	os.Exit(m.Run())
}

// A spawned agent is a process that can be killed.
type spawned struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

// spawn runs the host's agent in a process of its own.
func (h *host) spawn(hub *httptest.Server) *spawned {
	h.t.Helper()
	text, err := json.Marshal(orders{Dir: h.dir, Machine: h.machine.ID, Name: h.machine.Name, Engine: h.engine.Host(), Hub: h.hub.URL, Wire: hub.URL})
	check(h.t, err)
	s := &spawned{cmd: exec.Command(os.Args[0]), gone: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), agentOrders+"="+string(text))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(h.t, s.cmd.Start())
	go func() { s.cmd.Wait(); close(s.gone) }()
	h.t.Cleanup(s.kill)
	return s
}

func (s *spawned) kill() {
	s.cmd.Process.Kill()
	<-s.gone
}

// own are the names of the host's containers, and those that run.
func (h *host) own() (all, running []string) {
	h.t.Helper()
	list, err := h.engine.ContainerList(h.t.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", "hubledger.host="+h.machine.ID)})
	check(h.t, err)
	for _, c := range list.Items {
		name := strings.TrimPrefix(c.Names[0], "/"+environment+"-")
		all = append(all, name)
		if c.State == "running" {
			running = append(running, name)
		}
	}
	slices.Sort(all)
	slices.Sort(running)
	return all, running
}

// An agent that is killed at any point, whatever it was doing, ends with what the hub wants
// once it is left alone.
func TestKilledAgent(t *testing.T) {
	w := newWorld(t)
	h := w.host("web1", enginetest.Start(t))
	h.kill()
	wire := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			out.Write(w.hosts.Answer(r.Context(), h.machine, strings.Trim(r.URL.Path, "/"), data))
		}
	}))
	defer wire.Close()
	defer wire.CloseClientConnections()
	first, second := w.push("admin/shop", "first"), w.push("admin/shop", "second")
	bluePort, greenPort := freePort(t), freePort(t)
	blue := workers(webSlot(hosting.Blue, first, bluePort, greenPort), first, 2)
	green := workers(webSlot(hosting.Green, second, bluePort, greenPort), second, 2)
	as := func(s hosting.Slot, phase hosting.Phase, n int) hosting.Slot {
		s.Services = slices.Clone(s.Services)
		s.Phase, s.Services[1].Run = phase, n
		return s
	}
	// Each round wants something else, and its agent is killed later than the one before.
	rounds := 12
	if os.Getenv("HUBLEDGER_SOAK") == "long" {
		rounds = 120
	}
	for round := range rounds {
		switch round % 4 {
		case 0:
			h.run(as(blue, hosting.Run, 2))
		case 1:
			h.run(as(blue, hosting.Run, 1), as(green, hosting.Run, 1))
		case 2:
			h.run(as(blue, hosting.Drain, 1), as(green, hosting.Run, 2))
		case 3:
			w.plan.set(h.machine.ID, []hosting.Slot{func() hosting.Slot { s := as(green, hosting.Keep, 2); s.Fence = w.plan.epoch + 1; return s }()}, hosting.Gone{ID: blue.ID, Fence: w.plan.epoch + 1})
		}
		agent := h.spawn(wire)
		time.Sleep(time.Duration(100+round*150) * time.Millisecond)
		agent.kill()
	}
	h.run(as(blue, hosting.Run, 1), as(green, hosting.Run, 1))
	agent := h.spawn(wire)
	h.healthy(blue.ID)
	h.healthy(green.ID)
	want := []string{"blue-web-0", "blue-worker-0", "green-web-0", "green-worker-0"}
	until(t, "what runs is what is wanted", func() bool { _, running := h.own(); return slices.Equal(running, want) })
	w.plan.set(h.machine.ID, nil, hosting.Gone{ID: blue.ID, Fence: w.plan.epoch + 1}, hosting.Gone{ID: green.ID, Fence: w.plan.epoch + 1})
	until(t, "nothing is left", func() bool { all, _ := h.own(); return len(all) == 0 })
	until(t, "no network and no image is left", func() bool {
		networks, err := h.engine.NetworkList(t.Context(), client.NetworkListOptions{Filters: make(client.Filters).Add("type", "custom")})
		check(t, err)
		images, err := h.engine.ImageList(t.Context(), client.ImageListOptions{All: true})
		check(t, err)
		return len(networks.Items) == 0 && len(images.Items) == 0
	})
	agent.kill()
}

// The engine ends and begins, and the hub is away: containers come back, and go on.
func TestEngineAndHubAway(t *testing.T) {
	w := newWorld(t)
	e := enginetest.Start(t)
	h := w.host("web1", e)
	image := w.push("admin/shop", "one")
	port := freePort(t)
	blue := webSlot(hosting.Blue, image, port, freePort(t))
	h.run(blue)
	h.healthy(blue.ID)

	h.wire.cut(true)
	h.kill()
	since := get(t, port, "/since")
	h.start()
	until(t, "the agent has looked", func() bool { return len(h.agent.Slots()) == 1 })
	e.End()
	e.Restart()
	until(t, "the container is back without the hub", func() bool { now := get(t, port, "/since"); return now != since && !strings.Contains(now, "refused") })
	h.wire.cut(false)
	h.healthy(blue.ID)

	e.End()
	until(t, "the engine is away", func() bool { return h.plan.last(h.machine.ID).Engine.Error != "" })
	if o := h.plan.last(h.machine.ID); len(o.Slots) != 1 || len(o.Slots[0].Containers) != 1 {
		t.Errorf("while its engine is away the host says %+v", o)
	}
	e.Restart()
	until(t, "the engine is back", func() bool { return h.plan.last(h.machine.ID).Engine.Error == "" })
	h.healthy(blue.ID)
}

// What is older is refused, with the state on the disk and without it; containers of others
// and those that nobody named as gone stay.
func TestOlderStates(t *testing.T) {
	w := newWorld(t)
	h := w.host("web1", enginetest.Start(t))
	image := w.push("admin/shop", "one")
	port := freePort(t)
	blue := webSlot(hosting.Blue, image, port, freePort(t))
	for range 5 {
		h.run(blue)
	}
	now := h.run(blue)
	h.healthy(blue.ID)
	stays := func(what string) {
		t.Helper()
		if got := get(t, port, "/"); !strings.HasPrefix(got, "blue 1") {
			t.Errorf("%s: blue answers %q", what, got)
		}
	}
	// A hub that answers nothing wipes no host.
	h.run()
	until(t, "it has the empty state", func() bool { return h.plan.last(h.machine.ID).Epoch == now+1 })
	stays("a state without slots")
	gone := hosting.Gone{ID: blue.ID, Fence: 1}
	w.plan.set(h.machine.ID, nil, gone)
	until(t, "it has the older removal", func() bool { return h.plan.last(h.machine.ID).Epoch == now+2 })
	stays("an older removal")
	h.run(blue)
	h.healthy(blue.ID)

	h.kill()
	file := filepath.Join(h.dir, "state.json")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its state is %v, %v", info, err)
	}
	check(t, os.WriteFile(file, []byte(`{"sum":"x","kept":{}}`), 0o600))
	older := blue
	older.Release, older.Fence, older.Phase = 7, 2, hosting.Keep
	h.run(older)
	h.start()
	s := h.sees("the older slot is refused by the labels of containers", blue.ID, func(s hosting.Seen) bool {
		return strings.Contains(s.Error, "older than what this host has acted upon")
	})
	if s.Drained {
		t.Errorf("it is %+v", s)
	}
	stays("an older slot")
	if _, err := os.Stat(file + ".broken"); err != nil {
		t.Error(err)
	}
	h.run(blue)
	h.healthy(blue.ID)

	// Not of the host: neither stopped nor taken for its own.
	_, err = h.engine.ContainerCreate(t.Context(), client.ContainerCreateOptions{Name: environment + "-green-web-0", Image: image})
	check(t, err)
	green := webSlot(hosting.Green, image, port, freePort(t))
	h.run(blue, green)
	h.sees("a name is taken", green.ID, func(s hosting.Seen) bool { return s.Fatal && strings.Contains(s.Error, "that is not of this host") })
	w.plan.set(h.machine.ID, nil, hosting.Gone{ID: blue.ID, Fence: w.plan.epoch + 1}, hosting.Gone{ID: green.ID, Fence: w.plan.epoch + 1})
	until(t, "its own are gone", func() bool { all, _ := h.own(); return len(all) == 0 })
	if _, err := h.engine.ContainerInspect(t.Context(), environment+"-green-web-0", client.ContainerInspectOptions{}); err != nil {
		t.Errorf("the container of somebody else: %v", err)
	}
}
