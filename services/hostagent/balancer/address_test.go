package balancer_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
)

func TestMain(m *testing.M) {
	switch os.Getenv("HUBLEDGER_TEST_HELPER") {
	case "host":
		host(os.Args[len(os.Args)-1])
	case "load":
		load(os.Args[len(os.Args)-1])
	}
	os.Exit(m.Run())
}

// host is a machine with both colours and the weight responder, which says what a file has of the
// share of blue, in percent.
func host(file string) {
	for port, colour := range map[string]string{":8081": "blue", ":8082": "green"} {
		go http.ListenAndServe(port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, colour) }))
	}
	l, err := net.Listen("tcp", ":9180")
	if err != nil {
		panic(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer c.Close()
			asked, _ := bufio.NewReader(c).ReadString('\n')
			text, err := os.ReadFile(file)
			share, wrong := strconv.Atoi(string(text))
			if err != nil || wrong != nil {
				return // the weight stays as it is
			}
			if strings.HasSuffix(strings.TrimSpace(asked), "/green") {
				share = 100 - share
			}
			fmt.Fprintf(c, "%d%%\n", share)
		}()
	}
}

// loaded is how long requests are sent.
const loaded = 20 * time.Second

// load asks an address without a pause, with a connection for each request, and prints when each
// began, in milliseconds since 1970, and how it ended.
func load(address string) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	var mu sync.Mutex
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for time.Since(began) < loaded {
				at := time.Now().UnixMilli()
				said := "failed"
				if resp, err := client.Get("http://" + address + "/"); err == nil {
					text, err := io.ReadAll(resp.Body)
					if resp.Body.Close(); err == nil && resp.StatusCode == http.StatusOK {
						said = string(text)
					}
				}
				mu.Lock()
				fmt.Println(at, said)
				mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	work.Wait()
	os.Exit(0)
}

// A lan is machines in network namespaces, on one switch.
type lan struct {
	t    *testing.T
	name string
}

func newLAN(t *testing.T, machines map[string]string) *lan {
	t.Helper()
	l := &lan{t, fmt.Sprintf("hl%d", os.Getpid()%10000)}
	l.must("ip", "netns", "add", l.of("sw"))
	t.Cleanup(func() { exec.Command("ip", "netns", "del", l.of("sw")).Run() })
	l.must("ip", "-n", l.of("sw"), "link", "add", "br0", "type", "bridge")
	l.must("ip", "-n", l.of("sw"), "link", "set", "br0", "up")
	for machine, address := range machines {
		ns := l.of(machine)
		l.must("ip", "netns", "add", ns)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
		l.must("ip", "-n", l.of("sw"), "link", "add", machine, "type", "veth", "peer", "name", "eth0", "netns", ns)
		l.must("ip", "-n", l.of("sw"), "link", "set", machine, "master", "br0", "up")
		l.must("ip", "-n", ns, "addr", "add", address+"/24", "dev", "eth0")
		l.must("ip", "-n", ns, "link", "set", "lo", "up")
		l.must("ip", "-n", ns, "link", "set", "eth0", "up")
	}
	return l
}

func (l *lan) of(machine string) string { return l.name + machine }

func (l *lan) must(name string, args ...string) string {
	l.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// run starts a program on a machine; it is killed at the end of the test at the latest.
func (l *lan) run(machine string, env []string, out io.Writer, name string, args ...string) *exec.Cmd {
	l.t.Helper()
	c := exec.Command("ip", append([]string{"netns", "exec", l.of(machine), name}, args...)...)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = out, out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { l.kill(c) })
	return c
}

func (l *lan) kill(c *exec.Cmd) {
	if c.ProcessState == nil {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // with its children
		c.Wait()
	}
}

// holds says whether a machine has an address.
func (l *lan) holds(machine, address string) bool {
	return strings.Contains(l.must("ip", "-n", l.of(machine), "addr", "show", "dev", "eth0"), " "+address+"/")
}

const shared = "10.77.0.100"

// recipe is what docs/balancers.md says of a program: how it is started on a machine.
type recipe func(t *testing.T, l *lan, dir, machine, address string, first bool) *exec.Cmd

func keepalived(t *testing.T, l *lan, dir, machine, _ string, first bool) *exec.Cmd {
	priority := map[bool]int{true: 101, false: 100}[first]
	file := filepath.Join(dir, machine+".conf")
	write(t, file, fmt.Sprintf(`global_defs {
    script_user root
    enable_script_security
}
vrrp_script haproxy {
    script "/bin/bash -c '</dev/tcp/127.0.0.1/80'"
    interval 1
    timeout 1
    fall 2
    rise 2
}
vrrp_instance shop {
    interface eth0
    state BACKUP
    nopreempt
    virtual_router_id 51
    priority %d
    advert_int 1
    virtual_ipaddress {
        %s/24
    }
    track_script {
        haproxy
    }
}
`, priority, shared), 0o600)
	return l.run(machine, nil, &shown{t: t}, "keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", file, "--pid", file+".pid", "--vrrp_pid", file+".vrrp.pid")
}

func ucarp(t *testing.T, l *lan, dir, machine, address string, first bool) *exec.Cmd {
	up, down := filepath.Join(dir, "up"), filepath.Join(dir, "down")
	write(t, up, "#!/bin/sh\nip addr add "+shared+"/24 dev \"$1\"\n", 0o700)
	write(t, down, "#!/bin/sh\nip addr del "+shared+"/24 dev \"$1\"\n", 0o700)
	skew := map[bool]string{true: "0", false: "50"}[first]
	return l.run(machine, nil, &shown{t: t}, "ucarp", "--interface=eth0", "--srcip="+address, "--vhid=51", "--pass=of-both", "--addr="+shared, "--advbase=1", "--advskew="+skew, "--upscript="+up, "--downscript="+down, "--shutdown")
}

// shown is the output of a program, which the test shows when it fails.
type shown struct {
	t    *testing.T
	once sync.Once
	mu   sync.Mutex
	text []byte
}

func (s *shown) Write(p []byte) (int, error) {
	s.once.Do(func() {
		s.t.Cleanup(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.t.Failed() {
				s.t.Logf("%s", s.text)
			}
		})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// Of two balancers with one address one dies in the middle of a deploy, or its HAProxy: once the other one
// has the address no request fails, and the deploy goes on behind it.
func TestOneAddress(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: it takes a minute")
	}
	for name, of := range map[string]struct {
		program string
		start   recipe
		whole   bool // the machine dies
	}{"keepalived": {"keepalived", keepalived, true}, "keepalived, HAProxy alone": {"keepalived", keepalived, false}, "ucarp": {"ucarp", ucarp, true}} {
		t.Run(name, func(t *testing.T) {
			for _, program := range []string{of.program, "haproxy", "ip"} {
				if _, err := exec.LookPath(program); err == nil && os.Getuid() == 0 {
					continue
				}
				if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
					t.Fatalf("needs %s, and root: tools/setup installs it", program)
				}
				t.Skipf("needs %s, and root: tools/setup installs it", program)
			}
			oneAddress(t, of.start, of.whole)
		})
	}
}

func oneAddress(t *testing.T, start recipe, whole bool) {
	dir, err := os.MkdirTemp("/tmp", "hubledger-address") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addresses := map[string]string{"lb1": "10.77.0.1", "lb2": "10.77.0.2", "web1": "10.77.0.20", "user": "10.77.0.30"}
	l := newLAN(t, addresses)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string][]*exec.Cmd{}
	for _, machine := range []string{"lb1", "lb2"} {
		text, err := balancer.Config(balancer.Settings{Application: "admin/shop", Environment: "production", Services: []balancer.Web{{Name: "web", Blue: 8081, Green: 8082, Probe: "/"}},
			Hosts: []balancer.Host{{Name: "web1", Address: addresses["web1"]}}, Responder: 9180, Socket: filepath.Join(dir, machine+".sock"), State: filepath.Join(dir, machine+".state"), Listen: 80})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, machine+".cfg"), text, 0o600)
		write(t, filepath.Join(dir, machine+".state"), "1\n", 0o600)
	}
	share := func(blue string) { // at once: the responder reads it at any moment
		write(t, filepath.Join(dir, "next"), blue, 0o600)
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "share")); err != nil {
			t.Fatal(err)
		}
	}
	share("50")
	l.run("web1", []string{"HUBLEDGER_TEST_HELPER=host"}, &shown{t: t}, self, filepath.Join(dir, "share"))
	for _, machine := range []string{"lb1", "lb2"} {
		programs[machine] = append(programs[machine], l.run(machine, nil, &shown{t: t}, "haproxy", "-db", "-f", filepath.Join(dir, machine+".cfg")))
	}
	await := func(what string, so func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not so", what)
			}
		}
	}
	// One after the other: two that begin at once may both take it for a moment.
	const dies, stays = "lb1", "lb2"
	programs[dies] = append(programs[dies], start(t, l, dir, dies, addresses[dies], true))
	await("the first one has the address", func() bool { return l.holds(dies, shared) })
	programs[stays] = append(programs[stays], start(t, l, dir, stays, addresses[stays], false))
	time.Sleep(3 * time.Second)
	if !l.holds(dies, shared) || l.holds(stays, shared) {
		t.Fatal("the second one has taken the address of the first")
	}
	ask := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		out, _ := exec.CommandContext(ctx, "ip", "netns", "exec", l.of("user"), "bash", "-c", `exec 3<>/dev/tcp/`+shared+`/80; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3`).Output()
		return string(out)
	}
	await("it answers", func() bool { return strings.Contains(ask(), "200 OK") })
	var told strings.Builder
	user := l.run("user", []string{"HUBLEDGER_TEST_HELPER=load"}, &told, self, shared)
	time.Sleep(4 * time.Second) // of a load that goes on
	dead := time.Now().UnixMilli()
	if whole { // as of a machine without power
		l.must("ip", "-n", l.of("sw"), "link", "set", dies, "down")
		l.kill(programs[dies][1])
	}
	l.kill(programs[dies][0])
	await("the address has moved", func() bool { return l.holds(stays, shared) && (whole || !l.holds(dies, shared)) })
	moved := time.Now().UnixMilli()
	time.Sleep(time.Second)
	share("0") // it is promoted
	if err := user.Wait(); err != nil {
		t.Fatalf("%v\n%.1000s", err, told.String())
	}
	answered, before, lost, after, failed := int64(-1), 0, 0, 0, 0
	first, colours := map[string]int{}, map[string]int{}
	type request struct {
		at   int64
		said string
	}
	var all []request
	for line := range strings.Lines(told.String()) {
		var r request
		if _, err := fmt.Sscan(line, &r.at, &r.said); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if all = append(all, r); r.said != "failed" && r.at > dead+500 && (answered < 0 || r.at < answered) { // it began when the other one was surely gone
			answered = r.at
		}
	}
	moved = max(moved, answered) // the others on the network have heard of it
	for _, r := range all {
		switch {
		case r.at < dead:
			before++
			first[r.said]++
			if r.said == "failed" && r.at < dead-1500 {
				t.Errorf("a request failed %d ms before anything had died", dead-r.at)
			}
		case r.at < moved:
			lost++
		default:
			after++
			colours[r.said]++
			if r.said == "failed" {
				failed++
			}
		}
	}
	t.Logf("%d requests before, %d in the %d ms until the address had moved, %d after it, of which %d failed: %v", before, lost, moved-dead, after, failed, colours)
	if before < 100 || after < 100 || failed > 0 || answered < 0 {
		t.Error("that is not as it is to be")
	}
	if last := all[max(0, len(all)-100):]; first["blue"] == 0 || first["green"] == 0 || colours["blue"] == 0 || slices.ContainsFunc(last, func(r request) bool { return r.said != "green" }) {
		t.Errorf("the deploy did not go on behind the other balancer: %v before, %v after it, %v at the end", first, colours, last)
	}
}
