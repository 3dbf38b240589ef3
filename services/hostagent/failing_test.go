package hostagent_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
)

// What cannot start says why: exit code, log, health log, probe; and no secret.
func TestFailedStart(t *testing.T) {
	w := newWorld(t)
	h := w.host("web1", enginetest.Start(t))
	image := w.push("admin/shop", "one")
	const secret = "correct-horse-battery"
	withSecret := func(s hosting.Slot, mode string) hosting.Slot {
		s.Services[0].Environment = []compose.Variable{{Name: "PASSWORD", Secret: true}, {Name: "MODE"}}
		s.Services[0].Values = map[string]string{"PASSWORD": secret, "MODE": mode}
		return s
	}
	slot := func(edit func(*hosting.SlotService)) hosting.Slot {
		s := withSecret(webSlot(hosting.Blue, image, freePort(t), freePort(t)), "")
		edit(&s.Services[0])
		return s
	}
	blue := slot(func(*hosting.SlotService) {}).ID
	told := func(what string, so func(hosting.Seen) bool) hosting.Seen {
		t.Helper()
		s := h.sees(what, blue, so)
		if strings.Contains(fmt.Sprintf("%+v", s), secret) {
			t.Errorf("%s: a secret is told: %+v", what, s)
		}
		return s
	}

	crashing := withSecret(slot(func(*hosting.SlotService) {}), "crash")
	h.run(crashing)
	crashing.Fence = 0
	s := told("it crashes", func(s hosting.Seen) bool {
		return len(s.Containers) == 1 && s.Containers[0].ExitCode == 3 && strings.Contains(s.Containers[0].Log, "cannot go on with ***") && s.Containers[0].Restarts > 2 && s.Fatal
	})
	if s.Healthy || !strings.Contains(s.Error, "web: its container has ended ") || !strings.Contains(s.Error, " times, the last time with exit code 3: ") {
		t.Errorf("what crashes is %+v", s)
	}
	// What was there before ends no deployment by what it did then.
	fence := h.run(crashing)
	s = told("it crashed before, too", func(s hosting.Seen) bool { return s.Fence == fence })
	if s.Healthy || s.Fatal || s.Error == "" {
		t.Errorf("what crashed before is %+v", s)
	}

	h.run(slot(func(s *hosting.SlotService) { s.Role.Probe = "/moved" }))
	if s = told("a redirect", func(s hosting.Seen) bool { return strings.Contains(s.Error, "a redirect is no answer") }); s.Healthy || s.Fatal {
		t.Errorf("what redirects is %+v", s)
	}
	h.run(slot(func(s *hosting.SlotService) { s.Role.Probe = "/by-host" }))
	told("another host", func(s hosting.Seen) bool { return strings.Contains(s.Error, "404") })
	h.run(slot(func(s *hosting.SlotService) { s.Role.Probe, s.Role.Host = "/by-host", "shop.example.com" }))
	told("its own host", func(s hosting.Seen) bool { return s.Healthy && s.Error == "" })

	h.run(slot(func(s *hosting.SlotService) {
		s.Health = &compose.Health{Test: []string{"CMD", "/app", "check"}, Interval: "100ms", Retries: 2}
	}))
	s = told("its check fails", func(s hosting.Seen) bool { return s.Fatal && len(s.Containers) == 1 && s.Containers[0].HealthLog != "" })
	if c := s.Containers[0]; c.Health != "unhealthy" || !strings.Contains(c.HealthLog, "begins with ***\nis not well") || s.Healthy || !strings.Contains(s.Error, "web: its health check has failed as often as it may, and never passed") {
		t.Errorf("what is not well is %+v", s)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	h.run(slot(func(s *hosting.SlotService) { s.Role.Blue = l.Addr().(*net.TCPAddr).Port }))
	told("its port is taken", func(s hosting.Seen) bool { return s.Fatal && strings.Contains(s.Error, "address already in use") })
	h.run(slot(func(s *hosting.SlotService) { s.Run = 2 }))
	told("it is to run twice", func(s hosting.Seen) bool { return s.Fatal && strings.Contains(s.Error, "has one port") })
	h.run(slot(func(s *hosting.SlotService) { s.Entrypoint = []string{"/none"} }))
	told("its program is missing", func(s hosting.Seen) bool { return s.Fatal && strings.Contains(s.Error, "/none") })
	h.run(slot(func(s *hosting.SlotService) { s.Pull = image[:len(image)-64] + strings.Repeat("0", 64) }))
	if s = told("its image is gone", func(s hosting.Seen) bool { return s.Fatal && strings.Contains(s.Error, "does not have it any more") }); s.Images[0].Error == "" {
		t.Errorf("the image is %+v", s.Images)
	}
	h.run(slot(func(*hosting.SlotService) {}))
	told("all is well at last", func(s hosting.Seen) bool { return s.Healthy && s.Error == "" && !s.Fatal })
}
