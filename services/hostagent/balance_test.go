package hostagent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/hosting"
)

// A proxy is a real HAProxy on the configuration that the command prints.
type proxy struct {
	t      *testing.T
	config string
	in     int // port
	socket balancer.Socket
	state  string
	cmd    *exec.Cmd
}

func startProxy(t *testing.T, blue, green, responder int) *proxy {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs haproxy")
	}
	dir, err := os.MkdirTemp("/tmp", "hubledger-haproxy") // short: a socket's path has 107 bytes
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &proxy{t: t, config: filepath.Join(dir, "haproxy.cfg"), in: freePort(t), socket: balancer.Socket(filepath.Join(dir, "sock")), state: filepath.Join(dir, "state")}
	text, err := balancer.Config(balancer.Settings{Application: "admin/shop", Environment: "production", Services: []balancer.Web{{Name: "web", Blue: blue, Green: green, Probe: "/", Host: "shop.example.com"}},
		Hosts: []balancer.Host{{Name: "web1", Address: "127.0.0.1"}}, Responder: responder, Socket: string(p.socket), State: p.state, Listen: p.in})
	check(t, err)
	check(t, os.WriteFile(p.config, []byte(text), 0o600))
	check(t, os.WriteFile(p.state, []byte("1\n"), 0o600))
	if out, err := exec.Command("haproxy", "-c", "-f", p.config).CombinedOutput(); err != nil || strings.Contains(string(out), "WARNING") {
		t.Fatalf("HAProxy does not take the configuration: %v\n%s\n%s", err, out, text)
	}
	t.Cleanup(p.end)
	p.start()
	return p
}

func (p *proxy) start() {
	p.t.Helper()
	p.cmd = exec.Command("haproxy", "-db", "-f", p.config)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(p.t, p.cmd.Start())
	until(p.t, "HAProxy answers", func() bool { return !strings.Contains(get(p.t, p.in, "/"), "refused") })
}

func (p *proxy) end() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// shares is how many of n requests each colour answers.
func (p *proxy) shares(n int) map[string]int {
	p.t.Helper()
	got := map[string]int{}
	for range n {
		text := get(p.t, p.in, "/")
		colour, _, _ := strings.Cut(text, " ")
		got[colour]++
	}
	return got
}

// until waits until something is so.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not so", what)
		}
	}
}

// colours are two programs that answer as containers do.
func colours(t *testing.T) (blue, green int) {
	serve := func(colour string) int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				<-r.Context().Done()
				return
			}
			io.WriteString(w, colour+" ")
		})}
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
		return l.Addr().(*net.TCPAddr).Port
	}
	return serve("blue"), serve("green")
}

// A responder can be ended and begun again on the same port.
type responder struct {
	t    *testing.T
	at   string
	stop context.CancelFunc
	gone chan struct{}
}

func (r *responder) start(slots func() []hosting.Slot) {
	r.t.Helper()
	l, err := net.Listen("tcp", r.at)
	check(r.t, err)
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.gone = stop, make(chan struct{})
	go func() { balancer.Serve(ctx, l, slots, nil); close(r.gone) }()
}

func (r *responder) end() {
	r.stop()
	<-r.gone
}

// HAProxy splits requests as the responder says, keeps the last weights while that is away,
// and begins with them when it is started again. Its sessions are counted, and ended.
func TestWeights(t *testing.T) {
	blue, green := colours(t)
	port := freePort(t)
	share := make(chan [2]int, 1)
	share <- [2]int{50, 50}
	slots := func() []hosting.Slot {
		now := <-share
		share <- now
		return []hosting.Slot{{Application: "admin/shop", Environment: "production", Colour: hosting.Blue, Share: now[0], Live: 1},
			{Application: "admin/shop", Environment: "production", Colour: hosting.Green, Share: now[1], Live: 1}}
	}
	set := func(blue, green int) { <-share; share <- [2]int{blue, green} }
	r := &responder{t: t, at: fmt.Sprintf("127.0.0.1:%d", port)}
	r.start(slots)
	p := startProxy(t, blue, green, port)
	weights := func(blue, green string) func() bool {
		return func() bool {
			text, err := p.socket.State(t.Context())
			if err != nil {
				return false
			}
			return weightOf(string(text), "web1-blue") == blue && weightOf(string(text), "web1-green") == green
		}
	}
	const n = 500
	within := func(what string, got map[string]int, percent int) {
		t.Helper()
		if g := got["green"] * 100; g < (percent-2)*n || g > (percent+2)*n || got["blue"]+got["green"] != n {
			t.Errorf("%s: %v of %d, want %d %% green", what, got, n, percent)
		}
	}
	until(t, "half and half", weights("50", "50"))
	within("half and half", p.shares(n), 50)
	set(90, 10)
	until(t, "a tenth", weights("90", "10"))
	within("a tenth", p.shares(n), 10)

	r.end()
	time.Sleep(2 * time.Second) // some checks that nobody answers
	within("the responder is away", p.shares(n), 10)
	text, err := p.socket.State(t.Context())
	check(t, err)
	check(t, durable.ReplaceFile(p.state, text, 0o600))
	p.end()
	p.start()
	within("HAProxy was started again without the responder", p.shares(n), 10)

	set(0, 100)
	r.start(slots)
	until(t, "all green", weights("0", "100"))
	within("all green", p.shares(n), 100)
	r.end()

	// Sessions of one colour, and their end.
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.in))
	check(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	check(t, err)
	sessions := func(colour string) int {
		n, _, err := p.socket.Load(t.Context(), "admin/shop", "production", balancer.Server("web1", colour))
		check(t, err)
		return n
	}
	until(t, "green has a session", func() bool { return sessions(hosting.Green) == 1 })
	if n := sessions(hosting.Blue); n != 0 {
		t.Errorf("blue has %d sessions", n)
	}
	if _, _, err := p.socket.Load(t.Context(), "admin/other", "production", "web1-blue"); err == nil {
		t.Error("sessions of what HAProxy does not have")
	}
	check(t, p.socket.Shutdown(t.Context(), "admin/shop", "production", balancer.Server("web1", hosting.Green)))
	until(t, "green has no session", func() bool { return sessions(hosting.Green) == 0 })
}

// weightOf is the weight of a server in HAProxy's state.
func weightOf(state, server string) string {
	for line := range strings.Lines(state) {
		if f := strings.Fields(line); len(f) > 8 && f[3] == server {
			return f[7]
		}
	}
	return ""
}

// What is not known is not answered, nor are those who do not ask.
func TestResponder(t *testing.T) {
	slots := []hosting.Slot{{Application: "admin/shop", Environment: "production", Colour: hosting.Blue, Share: 50, Live: 2},
		{Application: "admin/shop", Environment: "production", Colour: hosting.Green, Share: 50, Live: 0}, {Application: "admin/shop", Environment: "production"}}
	r := &responder{t: t, at: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	r.start(func() []hosting.Slot { return slots })
	defer r.end()
	for asked, want := range map[string]string{"admin/shop/production/blue\n": "25%\n", "admin/shop/production/green\n": "50%\n", "admin/shop/production/blue\r\n": "25%\n",
		"admin/shop/production/\n": "", "admin/shop/production\n": "", "other/shop/production/blue\n": "", "\n": "", strings.Repeat("x", 1000) + "\n": ""} {
		c, err := net.Dial("tcp", r.at)
		check(t, err)
		io.WriteString(c, asked)
		text, _ := io.ReadAll(c)
		c.Close()
		if string(text) != want {
			t.Errorf("%.40q is answered %q, want %q", asked, text, want)
		}
	}
}

// However many hosts there are, a part of the traffic is not rounded to nothing.
func TestManyHosts(t *testing.T) {
	const app, environment = "admin/shop", "production"
	for _, c := range []struct{ share, live, otherLive, scale, blue, green int }{
		{50, 2, 1, 1, 25, 50}, {50, 2, 2, 2, 50, 50}, {50, 200, 200, 200, 50, 50}, {5, 11, 11, 11, 5, 95}, {1, 3, 3, 3, 1, 99}, {100, 3, 3, 3, 100, 0},
		{5, 200, 1, 1, 1, 95}, {20, 200, 100, 0, 1, 1}, // the latter of a hub that says no scale
	} {
		slots := []hosting.Slot{{Application: app, Environment: environment, Colour: hosting.Blue, Share: c.share, Live: c.live, Scale: c.scale},
			{Application: app, Environment: environment, Colour: hosting.Green, Share: 100 - c.share, Live: c.otherLive, Scale: c.scale}}
		blue, _ := balancer.Answer(slots, balancer.Subject(app, environment, hosting.Blue))
		green, _ := balancer.Answer(slots, balancer.Subject(app, environment, hosting.Green))
		if blue != c.blue || green != c.green {
			t.Errorf("%+v: %d and %d", c, blue, green)
		}
	}
}

// A Compose file writes no directives of HAProxy.
func TestConfigRefuses(t *testing.T) {
	in := balancer.Settings{Application: "admin/shop", Environment: "production", Services: []balancer.Web{{Name: "web", Blue: 1, Green: 2, Probe: "/a?b=c%20d", Host: "shop.example.com:8080"}}}
	if text, err := balancer.Config(in); err != nil || !strings.Contains(text, "uri /a?b=c%20d hdr Host shop.example.com:8080\n") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, wrong := range []balancer.Web{{Host: "x\n    http-request deny"}, {Host: "a b"}, {Host: "%[path]"}, {Probe: "/a b"}, {Probe: "/a\nb"}, {Probe: "a"}, {Probe: "/a#b"}, {Probe: `/a\`}, {Probe: `/"a`}, {Probe: "/'a"}} {
		in.Services = []balancer.Web{wrong}
		if text, err := balancer.Config(in); err == nil || text != "" {
			t.Errorf("%+v is in\n%s", wrong, text)
		}
	}
}
