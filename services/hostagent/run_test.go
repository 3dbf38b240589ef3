package hostagent_test

import (
	"strings"
	"testing"

	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/hosting"
)

// A host pulls images by digest from the hub, where nobody else may, starts them, and says
// when they are healthy; blue and green run side by side, and an unchanged slot is left alone.
func TestRun(t *testing.T) {
	w := newWorld(t)
	h := w.host("web1", enginetest.Start(t))
	first, second := w.push("admin/shop", "first"), w.push("admin/shop", "second")
	bluePort, greenPort := freePort(t), freePort(t)
	blue := workers(webSlot(hosting.Blue, first, bluePort, greenPort), first, 2)

	pulling := blue
	pulling.Phase = hosting.Pull
	h.run(pulling)
	s := h.sees("blue is pulled", blue.ID, func(s hosting.Seen) bool { return s.Phase == hosting.Pull })
	if !s.Images[0].Pulled || s.Images[0].Total == 0 || s.Images[0].Bytes != 0 && s.Images[0].Bytes > s.Images[0].Total || len(s.Containers) != 0 {
		t.Errorf("pulled is %+v", s)
	}
	h.run(blue)
	s = h.healthy(blue.ID)
	if len(s.Containers) != 3 || s.Phase != hosting.Run {
		t.Errorf("blue is %+v", s)
	}
	if got := get(t, bluePort, "/"); !strings.HasPrefix(got, "blue 1 production 127.0.0.1") {
		t.Errorf("blue answers %q", got)
	}
	since := get(t, bluePort, "/since")
	green := workers(webSlot(hosting.Green, second, bluePort, greenPort), second, 1)
	green.Release = 2
	blue.Fence, blue.Services[1].Run = 0, 1
	h.run(blue, green)
	h.healthy(green.ID)
	s = h.sees("blue has one worker", blue.ID, func(s hosting.Seen) bool {
		running := 0
		for _, c := range s.Containers {
			if c.State == "running" {
				running++
			}
		}
		return running == 2
	})
	if got := get(t, greenPort, "/"); !strings.HasPrefix(got, "green 2 production") {
		t.Errorf("green answers %q", got)
	}
	if now := get(t, bluePort, "/since"); now != since {
		t.Errorf("blue was started again: %s, %s", since, now)
	}
	// A colour finds its own services by name.
	if got := get(t, greenPort, "/ask/web"); got != "200 OK" {
		t.Errorf("green asks web: %q", got)
	}

	blue.Fence, blue.Phase, blue.Share, green.Fence = 0, hosting.Drain, 0, 0
	h.run(blue, green)
	s = h.sees("blue is drained", blue.ID, func(s hosting.Seen) bool { return s.Drained })
	for _, c := range s.Containers {
		if c.State != "exited" {
			t.Errorf("a drained container is %+v", c)
		}
	}
	blue.Fence, blue.Phase = 0, hosting.Run
	h.run(blue, green)
	h.healthy(blue.ID)
	if got := get(t, bluePort, "/"); !strings.HasPrefix(got, "blue 1") {
		t.Errorf("blue answers %q when it is back", got)
	}
}
