package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/enginetest"
	"hubledger/services/internal/apitypes"
)

// A shop is the application of examples/shop on two hosts, which are two engines of this machine,
// behind a real HAProxy. Its queue is beside them.
type shop struct {
	t       testing.TB
	hub     *hubProcess
	ca      string
	dir     string
	engines [2]*enginetest.Engine
	agents  [2]*builderProcess
	proxy   *exec.Cmd
	config  string          // its configuration
	socket  balancer.Socket // of it
	in      string          // address of HAProxy
	queue   string          // its URL
	blue    string          // port
}

const shopCompose = `services:
  web:
    image: HUB/admin/shop:live
    command: [web]
    environment: [QUEUE]
    stop_grace_period: 20s
    x-hubledger: {role: web, port: 8080, blue: BLUE, green: GREEN, probe: /healthz}
  worker:
    image: HUB/admin/shop:live
    command: [worker]
    environment: [QUEUE]
    stop_grace_period: 20s
    deploy: {replicas: 2}
    x-hubledger: {role: worker}
`

func startShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{t: t, engines: [2]*enginetest.Engine{enginetest.Start(t), enginetest.Start(t)}}
	for _, needed := range []string{"haproxy", "docker"} {
		if _, err := exec.LookPath(needed); err != nil {
			if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
				t.Fatal(err)
			}
			t.Skip("needs ", needed)
		}
	}
	var err error
	if s.dir, err = os.MkdirTemp("/tmp", "hubledger-shop"); err != nil { // short: a socket's path has 107 bytes
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.dir) })
	s.sh("", program(t), "tls", "init", "--host", "127.0.0.1", "--out", s.dir)
	s.ca = filepath.Join(s.dir, "ca.crt")
	s.hub = startHub(t, "--builder", "off", "--allow-hosts", "127.0.0.1", "--nats-listen", freeAddr(t), "--tls-cert", filepath.Join(s.dir, "server.crt"), "--tls-key", filepath.Join(s.dir, "server.key"))
	s.docker("login", "-u", "admin", "-p", adminPassword, s.hub.Addr)
	for _, version := range []string{"1", "2", "broken"} {
		s.build(version)
	}
	s.startQueue()

	_, blue, _ := net.SplitHostPort(freeAddr(t))
	s.blue = blue
	_, green, _ := net.SplitHostPort(freeAddr(t))
	compose := filepath.Join(s.dir, "compose.yaml")
	s.write(compose, strings.NewReplacer("HUB", s.hub.Addr, "BLUE", blue, "GREEN", green).Replace(shopCompose))
	policy := filepath.Join(s.dir, "policy.json")
	s.write(policy, `{"rollBack": true, "warm": 1, "gates": [{"name": "cart", "kind": "http", "url": "http://127.0.0.1:{port}/cart", "passes": 2, "every": 1}]}`)
	s.push("1")
	s.run("apps", "create", "admin/shop", compose)
	s.run("apps", "config", "set", "admin/shop", "production", "QUEUE="+s.queue)
	s.run("apps", "policy", "set", "admin/shop", "production", policy)

	_, weights, _ := net.SplitHostPort(freeAddr(t))
	_, listen, _ := net.SplitHostPort(freeAddr(t))
	s.in = "127.0.0.1:" + listen
	socket, state := filepath.Join(s.dir, "sock"), filepath.Join(s.dir, "state")
	for k, name := range []string{"web1", "web2"} {
		address := fmt.Sprintf("127.0.0.%d", k+1)
		b := &builderProcess{t: t, Data: filepath.Join(s.dir, name), log: &logBuffer{}, args: []string{"agent", "--hub", s.hub.URL, "--ca", s.ca, "--docker", s.engines[k].Host(), "--bind", address,
			"--weights", address + ":" + weights, "--haproxy-socket", socket}}
		if k == 0 {
			b.args = append(b.args, "--haproxy-state", state)
		}
		t.Cleanup(func() {
			b.kill()
			if t.Failed() {
				t.Logf("log of %s:\n%s", name, b.log)
			}
		})
		var invited struct{ Token string }
		if err := json.Unmarshal([]byte(s.run("--json", "hosts", "enroll", name)), &invited); err != nil {
			t.Fatal(err)
		}
		b.start("HUBLEDGER_ENROLL=" + invited.Token)
		s.agents[k] = b
	}
	s.await("both hosts are connected", func() bool { return strings.Count(s.run("hosts", "ls"), "connected") == 2 })
	s.run("apps", "hosts", "set", "admin/shop", "production", "--web", "web1,web2", "--worker", "web1,web2")
	s.config, s.socket = filepath.Join(s.dir, "haproxy.cfg"), balancer.Socket(socket)
	s.write(s.config, s.run("haproxy", "config", "admin/shop", "production", "--host", "web1=127.0.0.1", "--host", "web2=127.0.0.2", "--weights", weights, "--listen", listen, "--socket", socket, "--state", state))
	s.write(state, "1\n")
	s.balance()
	t.Cleanup(s.unbalance)
	return s
}

// balance starts HAProxy, with more arguments.
func (s *shop) balance(more ...string) {
	s.t.Helper()
	s.proxy = exec.Command("haproxy", append([]string{"-W", "-f", s.config}, more...)...)
	s.proxy.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.proxy.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// rebalance has a new HAProxy take over from the one that runs, and returns when that has ended.
func (s *shop) rebalance() {
	s.t.Helper()
	old := s.proxy
	s.balance("-x", string(s.socket), "-sf", strconv.Itoa(old.Process.Pid))
	old.Wait()
}

// unbalance ends HAProxy.
func (s *shop) unbalance() {
	s.proxy.Process.Signal(syscall.SIGTERM)
	s.proxy.Wait()
}

// sh runs a command.
func (s *shop) sh(dir, name string, args ...string) string {
	s.t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+filepath.Join(s.dir, "docker"), "DOCKER_HOST="+s.engines[0].Host(), "QUEUE="+s.queue)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		s.t.Fatalf("%s %v: %v\n%s%s", name, args, err, &out, &errs)
	}
	return out.String()
}

func (s *shop) docker(args ...string) { s.t.Helper(); s.sh("", "docker", args...) }

func (s *shop) write(file, text string) {
	s.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// build makes an image of a version in the first engine.
func (s *shop) build(version string) {
	s.t.Helper()
	at := filepath.Join(s.dir, "build-"+version)
	s.sh("../../examples/shop", "go", "build", "-ldflags=-s -w -X main.version="+version, "-o", filepath.Join(at, "shop"), ".")
	s.sh("", "cp", "../../examples/shop/Dockerfile", at)
	s.docker("build", "-q", "-t", "shop:"+version, at)
}

// push makes a version the live one.
func (s *shop) push(version string) {
	s.t.Helper()
	s.docker("tag", "shop:"+version, s.hub.Addr+"/admin/shop:live")
	s.docker("push", "-q", s.hub.Addr+"/admin/shop:live")
}

// startQueue starts the queue on this machine, at an address that containers reach.
func (s *shop) startQueue() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(freeAddr(s.t))
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			s.queue = "nats://" + net.JoinHostPort(n.IP.String(), port)
		}
	}
	c := exec.Command(filepath.Join(s.dir, "build-1", "shop"), "queue")
	c.Env = append(os.Environ(), "PORT="+port, "DATA="+filepath.Join(s.dir, "queue"))
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Process.Kill(); c.Wait() })
}

// run is a command of the hub.
func (s *shop) run(args ...string) string {
	s.t.Helper()
	out, errOut, code := s.hub.Run(args...)
	if code != 0 {
		s.t.Fatalf("%v: exit %d\n%s%s", args, code, out, errOut)
	}
	return out
}

func (s *shop) await(what string, so func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: not so; %s", what, s.run("deployments", "ls", "admin/shop"))
		}
	}
}

// latest is the latest deployment.
func (s *shop) latest() (d apitypes.Deployment) {
	s.t.Helper()
	line, _, _ := strings.Cut(s.run("--json", "deployments", "ls", "admin/shop"), "\n")
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		s.t.Fatalf("%v: %s", err, line)
	}
	return d
}

// at waits until the latest deployment is at a step.
func (s *shop) at(step string) (d apitypes.Deployment) {
	s.t.Helper()
	s.await("it is "+step, func() bool { d = s.latest(); return d.Step == step })
	return d
}

// deploy asks for a deployment, and does not follow it.
func (s *shop) deploy() {
	s.t.Helper()
	s.run("deploy", "admin/shop", "production", "--yes", "--detach")
}

// first brings the first version to the hosts.
func (s *shop) first() {
	s.t.Helper()
	s.deploy()
	if d := s.at("ended"); d.Outcome != "promoted" {
		s.t.Fatalf("%+v", d)
	}
	s.answers()
}

// answers waits until the application answers through HAProxy.
func (s *shop) answers() {
	s.t.Helper()
	s.await("HAProxy answers", func() bool {
		resp, err := http.Get("http://" + s.in + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
}

// promote promotes the deployment that is held once its workers are well, which those without a
// health check are when they have run for ten seconds. It returns when that was asked for.
func (s *shop) promote() (at time.Time) {
	s.t.Helper()
	s.await("it is promoted", func() bool {
		at = time.Now()
		out, errOut, code := s.hub.Run("promote", "admin/shop", "production")
		said := out + errOut
		if code != 0 && !strings.Contains(said, "is healthy once it has run for 10s") && !strings.Contains(said, "gates have not passed") {
			s.t.Fatal(said)
		}
		return code == 0
	})
	return at
}

// inForce waits until HAProxy has these weights for all servers of the colours; "" for any.
func (s *shop) inForce(blue, green string) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, err := s.socket.State(s.t.Context())
		wrong := err != nil
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 8 {
				wrong = wrong || strings.HasSuffix(f[3], "-blue") && blue != "" && f[7] != blue || strings.HasSuffix(f[3], "-green") && green != "" && f[7] != green
			}
		}
		if !wrong {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("blue does not have %s %% and green %s %%: %v\n%s", blue, green, err, text)
		}
	}
}
