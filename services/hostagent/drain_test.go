package hostagent_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/hosting"
)

// Under load one colour takes over from the other, which is then drained and stopped: no
// request fails, and a session that does not end is ended at the deadline.
func TestDrainUnderLoad(t *testing.T) {
	w := newWorld(t)
	e := enginetest.Start(t)
	first, second := w.push("admin/shop", "first"), w.push("admin/shop", "second")
	bluePort, greenPort, responder := freePort(t), freePort(t), freePort(t)
	p := startProxy(t, bluePort, greenPort, responder)
	w.sockets = []balancer.Socket{p.socket}
	h := w.host("web1", e)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", responder))
	check(t, err)
	go balancer.Serve(t.Context(), l, func() []hosting.Slot { return h.agent.Slots() }, w.Logger)
	blue, green := webSlot(hosting.Blue, first, bluePort, greenPort), webSlot(hosting.Green, second, bluePort, greenPort)
	green.Share, green.Release = 0, 2
	h.run(blue)
	h.healthy(blue.ID)
	answers := func(colour string) func() bool {
		return func() bool { return strings.HasPrefix(get(t, p.in, "/"), colour+" ") }
	}
	until(t, "blue answers", answers("blue"))

	var stop atomic.Bool
	var asked, failed atomic.Int64
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for !stop.Load() {
				text := get(t, p.in, "/")
				asked.Add(1)
				if !strings.HasPrefix(text, "blue ") && !strings.HasPrefix(text, "green ") {
					failed.Add(1)
					t.Logf("a request failed: %.200s", text)
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	stuck := make(chan struct{})
	slow, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.in)) // a session of blue that does not end by itself
	check(t, err)
	defer slow.Close()
	_, err = io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	check(t, err)
	go func() {
		defer close(stuck)
		io.Copy(io.Discard, slow)
	}()
	until(t, "blue has the slow session", func() bool {
		n, _, err := p.socket.Load(t.Context(), "admin/shop", "production", balancer.Server("web1", hosting.Blue))
		return err == nil && n >= 1
	})
	blue.Fence, green.Fence = 0, 0
	h.run(blue, green)
	h.healthy(green.ID)
	blue.Fence, green.Fence, blue.Share, green.Share = 0, 0, 0, 100
	h.run(blue, green)
	until(t, "green answers", func() bool {
		for range 20 {
			if !answers("green")() {
				return false
			}
		}
		return true
	})
	blue.Fence, blue.Phase = 0, hosting.Drain
	h.run(blue, green)
	h.sees("blue waits for its session", blue.ID, func(s hosting.Seen) bool { return s.Sessions == 1 && !s.Drained })
	s := h.sees("blue is drained", blue.ID, func(s hosting.Seen) bool { return s.Drained })
	if s.Sessions != 0 || len(s.Containers) != 1 || s.Containers[0].State != "exited" {
		t.Errorf("blue is %+v", s)
	}
	<-stuck
	stop.Store(true)
	load.Wait()
	if failed.Load() > 0 || asked.Load() < 100 {
		t.Errorf("of %d requests %d failed", asked.Load(), failed.Load())
	}
	t.Logf("%d requests", asked.Load())
}

// A balancer that does not answer may have sessions: nothing is stopped before it says that it
// has none, or the deadline.
func TestDrainWhileBalancerIsAway(t *testing.T) {
	w := newWorld(t)
	w.deadline = time.Hour
	e := enginetest.Start(t)
	image := w.push("admin/shop", "one")
	bluePort, greenPort := freePort(t), freePort(t)
	p := startProxy(t, bluePort, greenPort, freePort(t))
	w.sockets = []balancer.Socket{p.socket}
	h := w.host("web1", e)
	blue := webSlot(hosting.Blue, image, bluePort, greenPort)
	h.run(blue)
	h.healthy(blue.ID)
	p.end()
	blue.Fence, blue.Phase, blue.Share = 0, hosting.Drain, 0
	fence := h.run(blue)
	h.sees("blue drains", blue.ID, func(s hosting.Seen) bool { return s.Fence == fence && s.Sessions == -1 })
	time.Sleep(1500 * time.Millisecond) // longer than is waited where there is no balancer
	if _, running := h.own(); len(running) != 1 {
		t.Error("blue was stopped while nobody knew its sessions")
	}
	p.start()
	h.sees("blue is drained", blue.ID, func(s hosting.Seen) bool { return s.Drained && s.Sessions == 0 })
}
