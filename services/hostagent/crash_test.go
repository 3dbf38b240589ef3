package hostagent_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"hubledger/projections/accounts"
	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/hosting"
)

// What hinders a pull, or a start, is said, and is no failure of the release where it may go away: a
// registry that is away, a token that has expired, a full disk. Both ports that are taken end a
// deployment, and nothing else. Once they are gone all goes on by itself.
func TestWhatHindersAStart(t *testing.T) {
	w := newWorld(t)
	e := enginetest.Start(t)
	var expired, away atomic.Bool
	token := w.hosts.Token
	w.hosts.Token = func(ctx context.Context, m *accounts.Machine, repository string) (string, time.Time, error) {
		if expired.Load() {
			return "one that was good before", time.Now(), nil
		}
		return token(ctx, m, repository)
	}
	at, err := url.Parse(w.hub.URL)
	check(t, err)
	through := httputil.NewSingleHostReverseProxy(at)
	registry := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(out, r)
	}))
	defer registry.Close()
	h := w.host("web1", e)
	image := strings.Replace(w.push("admin/shop", "one"), at.Host, strings.TrimPrefix(registry.URL, "http://"), 1)

	blue := webSlot(hosting.Blue, image, freePort(t), freePort(t))
	blue.Phase = hosting.Pull
	hindered := func(what, want string) {
		t.Helper()
		blue.Fence = 0
		fence := h.run(blue)
		s := h.sees(what, blue.ID, func(s hosting.Seen) bool { return s.Fence == fence && s.Error != "" })
		if !strings.Contains(s.Error, "the image of web: ") || !strings.Contains(s.Error, want) || s.Fatal || s.Phase != "" || s.Images[0].Pulled || s.Images[0].Error == "" {
			t.Errorf("%s: %+v", what, s)
		}
	}
	info, err := e.Info(t.Context(), client.InfoOptions{})
	check(t, err)
	until(t, "the engine is known", func() bool { return h.plan.last(h.machine.ID).Engine.Free > 0 })
	check(t, unix.Mount("tmpfs", info.Info.DockerRootDir, "tmpfs", 0, "size=1m")) // nothing of the engine is read meanwhile
	full := true
	unmount := func() {
		if full {
			full = false
			check(t, unix.Unmount(info.Info.DockerRootDir, 0))
		}
	}
	defer unmount()
	hindered("the disk is full", "has 1.0 MiB free, and the image needs about")
	unmount()
	expired.Store(true)
	hindered("the token has expired", "the hub answers 401")
	expired.Store(false)
	away.Store(true)
	hindered("the registry is away", registry.URL)
	away.Store(false)
	h.sees("it is pulled by itself", blue.ID, func(s hosting.Seen) bool { return s.Phase == hosting.Pull && s.Images[0].Pulled && s.Error == "" })

	var taken [2]net.Listener
	for k := range taken {
		taken[k], err = net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		defer taken[k].Close()
	}
	ports := [2]int{taken[0].Addr().(*net.TCPAddr).Port, taken[1].Addr().(*net.TCPAddr).Port}
	green := webSlot(hosting.Green, image, ports[0], ports[1])
	blue = webSlot(hosting.Blue, image, ports[0], ports[1])
	h.run(blue, green)
	for k, slot := range []string{blue.ID, green.ID} {
		s := h.sees("its port is taken", slot, func(s hosting.Seen) bool { return s.Fatal })
		if !strings.Contains(s.Error, "address already in use") || !strings.Contains(s.Error, fmt.Sprint(ports[k])) || s.Healthy {
			t.Errorf("%+v", s)
		}
	}
	for _, l := range taken {
		l.Close()
	}
	h.healthy(blue.ID)
	h.healthy(green.ID)
}

// A HAProxy on the host that does not have the application holds no drain up: it is as if there was
// none.
func TestDrainBesideAnotherHAProxy(t *testing.T) {
	w := newWorld(t)
	w.deadline = time.Hour
	e := enginetest.Start(t)
	p := startProxy(t, freePort(t), freePort(t), freePort(t))
	w.sockets = []balancer.Socket{p.socket}
	h := w.host("web1", e)
	blue := webSlot(hosting.Blue, w.push("admin/shop", "one"), freePort(t), freePort(t))
	blue.Application = "admin/other"
	if _, _, err := p.socket.Load(t.Context(), blue.Application, blue.Environment, balancer.Server("web1", hosting.Blue)); !errors.Is(err, balancer.ErrForeign) {
		t.Fatal(err)
	}
	h.run(blue)
	h.healthy(blue.ID)
	blue.Fence, blue.Phase, blue.Share = 0, hosting.Drain, 0
	h.run(blue)
	if s := h.sees("blue is drained", blue.ID, func(s hosting.Seen) bool { return s.Drained }); s.Sessions != -1 {
		t.Errorf("it is %+v", s)
	}
	if _, running := h.own(); len(running) != 0 {
		t.Errorf("%v run", running)
	}
}

// With live-restore containers outlive their engine: the agent finds them again, and starts nothing
// anew.
func TestEngineWithLiveRestore(t *testing.T) {
	w := newWorld(t)
	e := enginetest.Start(t, "--live-restore")
	h := w.host("web1", e)
	port := freePort(t)
	blue := webSlot(hosting.Blue, w.push("admin/shop", "one"), port, freePort(t))
	h.run(blue)
	before := h.healthy(blue.ID)
	since := get(t, port, "/since")
	e.End()
	if got := get(t, port, "/since"); !strings.Contains(got, "refused") { // docs/hosts.md says so
		t.Errorf("while the engine is away its port answers %q", got)
	}
	e.Restart()
	until(t, "blue answers again", func() bool { return get(t, port, "/since") == since })
	after := h.sees("blue is healthy again", blue.ID, func(s hosting.Seen) bool { return s.Healthy && s.Error == "" })
	if len(after.Containers) != 1 || after.Containers[0].ID != before.Containers[0].ID || !after.Containers[0].Started.Equal(before.Containers[0].Started) || get(t, port, "/since") != since {
		t.Errorf("%+v, and before %+v", after.Containers, before.Containers)
	}
}
