package hostagent_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// An engine is a container engine of the test's own, in a directory of its own, which it
// may stop and start. It makes no firewall rules.
type engine struct {
	*client.Client
	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	gone chan struct{}
}

// startEngine starts one, or skips the test where none can be; with HUBLEDGER_REQUIRE=1 it
// fails.
func startEngine(t testing.TB) *engine {
	t.Helper()
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("starts an engine of Docker: set HUBLEDGER_SOAK=1")
	}
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal("needs dockerd, and root")
		}
		t.Skip("needs dockerd, and root")
	}
	dir, err := os.MkdirTemp("/tmp", "hubledger-engine") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, dir: dir}
	if e.Client, err = client.New(client.WithHost(e.host())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.remove)
	e.start()
	return e
}

func (e *engine) host() string { return "unix://" + filepath.Join(e.dir, "sock") }

func (e *engine) start() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	e.cmd = exec.Command("dockerd", "--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--host", e.host(), "--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.gone = make(chan struct{})
	go func(cmd *exec.Cmd, gone chan struct{}) { cmd.Wait(); close(gone) }(e.cmd, e.gone)
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err = e.Ping(e.t.Context(), client.PingOptions{NegotiateAPIVersion: true}); err == nil {
			return
		}
		select {
		case <-e.gone:
		default:
			if time.Now().Before(end) {
				continue
			}
		}
		text, _ := os.ReadFile(filepath.Join(e.dir, "log"))
		e.t.Fatalf("dockerd does not answer: %v\n%s", err, text)
	}
}

// end stops the engine, and with it its containers.
func (e *engine) end() {
	e.cmd.Process.Signal(syscall.SIGTERM)
	<-e.gone
}

func (e *engine) remove() {
	all, err := e.ContainerList(context.Background(), client.ContainerListOptions{All: true})
	if err == nil {
		for _, c := range all.Items {
			e.ContainerRemove(context.Background(), c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
	nets, err := e.NetworkList(context.Background(), client.NetworkListOptions{Filters: make(client.Filters).Add("type", "custom")})
	if err == nil {
		for _, n := range nets.Items {
			e.NetworkRemove(context.Background(), n.ID, client.NetworkRemoveOptions{})
		}
	}
	e.end()
	e.Close()
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Logf("what is left of the engine: %v", err)
	}
}

// app is the program that the containers of tests run, as a static file.
var app = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app")
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "./testdata/app")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return text, err
	}
	return os.ReadFile(out)
})
