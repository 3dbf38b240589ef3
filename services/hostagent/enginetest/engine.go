// Package enginetest starts container engines for tests.
package enginetest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// An Engine is a container engine of the test's own, in a directory of its own, which it
// may stop and start. It makes no firewall rules.
type Engine struct {
	*client.Client
	t    testing.TB
	dir  string
	more []string // arguments
	cmd  *exec.Cmd
	gone chan struct{}
}

// maxLog is how much of its log is shown of an engine whose test has failed, in bytes.
const maxLog = 16 << 10

// Start starts one with these further arguments, or skips the test where none can be; with
// HUBLEDGER_REQUIRE=1 it fails.
func Start(t testing.TB, more ...string) *Engine {
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
	e := &Engine{t: t, dir: dir, more: more}
	if e.Client, err = client.New(client.WithHost(e.Host())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.remove)
	e.Restart()
	return e
}

// Host is where it is, as clients take it.
func (e *Engine) Host() string { return "unix://" + filepath.Join(e.dir, "sock") }

// Restart starts an engine that was ended.
func (e *Engine) Restart() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	e.cmd = exec.Command("dockerd", append([]string{"--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--host", e.Host(), "--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"}, e.more...)...)
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

// End stops the engine, and with it its containers.
func (e *Engine) End() {
	e.cmd.Process.Signal(syscall.SIGTERM)
	<-e.gone
}

// shims are the processes that hold the containers of the engine, one for each.
func (e *Engine) shims() (pids []int) {
	of, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range of {
		text, err := os.ReadFile(file)
		if err == nil && bytes.Contains(text, []byte("containerd-shim")) && bytes.Contains(text, []byte(e.dir+"/")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func (e *Engine) remove() {
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
	// A container is removed before containerd has ended its shim, and an engine that ends before
	// that leaves it behind.
	for end := time.Now().Add(10 * time.Second); len(e.shims()) > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	e.End()
	for _, pid := range e.shims() { // of containers that had just begun: nobody waits for them any more
		syscall.Kill(pid, syscall.SIGKILL)
	}
	e.Close()
	if text, err := os.ReadFile(filepath.Join(e.dir, "log")); err == nil && e.t.Failed() {
		e.t.Logf("log of the engine:\n%s", text[max(0, len(text)-maxLog):])
	}
	// That of containers on the machine's own network is left mounted.
	syscall.Unmount(filepath.Join(e.dir, "exec", "netns", "default"), syscall.MNT_DETACH)
	// So is the data of one with live-restore.
	syscall.Unmount(filepath.Join(e.dir, "data"), 0)
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Logf("what is left of the engine: %v", err)
	}
}
