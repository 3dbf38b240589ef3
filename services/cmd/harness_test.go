package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hubledger/projections/pgtest"
	"hubledger/services/cmd/console"
)

// postgres is the server for tests that start a hub with --postgres-url.
var postgres pgtest.Server

// hubledger builds the product once for a test binary, as it is shipped, and
// returns the path of the program.
var hubledger = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hubledger")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "hubledger")
	build := exec.Command("go", "build", "-o", program, "hubledger")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return program, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

var built sync.Once // of the program that hubledger returns

func TestMain(m *testing.M) {
	code := postgres.Main(m)
	neverBuilt := false
	built.Do(func() { neverBuilt = true })
	if !neverBuilt {
		if program, _ := hubledger(); program != "" {
			os.RemoveAll(filepath.Dir(program))
		}
	}
	os.Exit(code)
}

func program(t testing.TB) string {
	t.Helper()
	built.Do(func() {})
	path, err := hubledger()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startTimeout only ends a test that hangs: these tests do not judge how long a
// start takes.
const startTimeout = 5 * time.Minute

// adminPassword is the password of the first administrator of every test hub.
const adminPassword = "correct horse battery"

// A hubProcess runs the real program on a data directory of its own and a free
// loopback port. It is stopped when its test ends.
type hubProcess struct {
	URL  string    // http://127.0.0.1:PORT
	Addr string    // 127.0.0.1:PORT, the same after a restart
	Data string    // data directory
	Cmd  *exec.Cmd // the running process, or the last one
	// ReadOnly is set when the log guard does not trust the log.
	ReadOnly bool

	noPassword bool // the hub generates the first administrator's password

	program    string              // a copy of the program; "" for the one that was built
	credential *syscall.Credential // the user that the hub runs as; nil for the test's

	t    testing.TB
	args []string
	log  *logBuffer
	gone chan struct{} // closed when Cmd has ended
}

// startHub starts a hub on an empty data directory and returns when it is
// ready. args are more flags for serve.
func startHub(t testing.TB, args ...string) *hubProcess {
	t.Helper()
	return startHubOn(t, filepath.Join(t.TempDir(), "data"), args...)
}

// startHubOn is startHub on a data directory that may have content.
func startHubOn(t testing.TB, data string, args ...string) *hubProcess {
	t.Helper()
	h := hubOn(t, data, args...)
	h.Start()
	return h
}

// hubOn is a hub that is not started yet.
func hubOn(t testing.TB, data string, args ...string) *hubProcess {
	t.Helper()
	h := &hubProcess{Data: data, Addr: freeAddr(t), t: t, args: args, log: &logBuffer{}}
	t.Cleanup(func() {
		h.Kill()
		if t.Failed() {
			t.Logf("log of the hub on %s:\n%s", h.Addr, h.log)
		}
	})
	return h
}

// Start starts a hub that was stopped, on the same data directory and port.
func (h *hubProcess) Start() {
	h.t.Helper()
	if err := h.TryStart(); err != nil {
		h.t.Fatalf("start the hub: %v\n%s", err, h.log)
	}
}

// TryStart is Start for a hub that may refuse to start.
func (h *hubProcess) TryStart() error {
	h.t.Helper()
	args := append([]string{"--data", h.Data, "--json", "serve", "--listen", h.Addr}, h.args...)
	h.Cmd = exec.Command(cmp.Or(h.program, program(h.t)), args...)
	password := adminPassword
	if h.noPassword {
		password = ""
	}
	h.Cmd.Env = append(os.Environ(), "HUBLEDGER_ADMIN_PASSWORD="+password)
	h.Cmd.Stderr = h.log
	// The hub must not outlive a test binary that is killed.
	h.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: h.credential}
	stdout, err := h.Cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.Cmd.Start(); err != nil {
		return err
	}
	h.gone = make(chan struct{})
	hangs := time.AfterFunc(startTimeout, func() { h.Cmd.Process.Signal(syscall.SIGQUIT) })
	greeting, err := bufio.NewReader(stdout).ReadBytes('\n')
	hangs.Stop()
	go func() {
		defer close(h.gone)
		h.Cmd.Wait()
	}()
	if err != nil {
		<-h.gone
		return fmt.Errorf("it ended before it was ready: %s", h.Cmd.ProcessState)
	}
	var ready struct {
		URL      string
		ReadOnly bool
	}
	if err := json.Unmarshal(greeting, &ready); err != nil {
		return fmt.Errorf("its greeting %q: %w", greeting, err)
	}
	h.URL, h.ReadOnly = ready.URL, ready.ReadOnly
	return nil
}

// Stop ends the hub as an operator does, and fails the test when the exit code is
// not the expected one. It does nothing to a hub that does not run.
func (h *hubProcess) Stop() {
	h.t.Helper()
	if !h.running() {
		return
	}
	h.Cmd.Process.Signal(syscall.SIGTERM)
	<-h.gone
	if code := h.Cmd.ProcessState.ExitCode(); code != console.ExitOK && !(h.ReadOnly && code == console.ExitGuard) {
		h.t.Errorf("the hub ended with %s\n%s", h.Cmd.ProcessState, h.log)
	}
}

// Kill ends the hub with SIGKILL.
func (h *hubProcess) Kill() {
	if h.running() {
		h.Cmd.Process.Kill()
		<-h.gone
	}
}

// Restart stops the hub if it runs and starts it again.
func (h *hubProcess) Restart() {
	h.t.Helper()
	h.Stop()
	h.Start()
}

// Log is what the hub has written to its log so far.
func (h *hubProcess) Log() string { return h.log.String() }

// Run runs a command of the command line against the hub's data directory.
func (h *hubProcess) Run(args ...string) (stdout, stderr string, code int) {
	h.t.Helper()
	return runHubledger(h.t, append([]string{"--data", h.Data}, args...)...)
}

func (h *hubProcess) running() bool {
	if h.gone == nil {
		return false
	}
	select {
	case <-h.gone:
		return false
	default:
		return true
	}
}

// runHubledger runs one command line of the real program to its end.
func runHubledger(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := exec.Command(program(t), args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatalf("hubledger %s: %v", strings.Join(args, " "), err)
		}
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// freeAddr is a loopback address whose port is below those that the kernel
// gives to outgoing connections, so that a restarted hub finds it free again.
func freeAddr(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatalf("no free port: %v", err)
	return ""
}

// A logBuffer keeps what a process writes.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestHarnessStopsAndStartsTheSameHub(t *testing.T) {
	h := startHub(t)
	addr, first := h.Addr, h.Cmd.Process.Pid
	ready(t, h)
	h.Restart()
	if h.Addr != addr || h.Cmd.Process.Pid == first {
		t.Fatalf("restarted on %s as process %d, was %s, %d", h.Addr, h.Cmd.Process.Pid, addr, first)
	}
	ready(t, h)
	h.Kill()
	if _, err := http.Get(h.URL + "/readyz"); err == nil {
		t.Fatal("the hub answers after it was killed")
	}
	if _, stderr, code := h.Run("events", "ls"); code != console.ExitFail || !strings.Contains(stderr, "no hub is running") {
		t.Fatalf("events ls without a hub: exit %d, %s", code, stderr)
	}
	h.Start()
	ready(t, h)
	if !slices.Contains(h.Cmd.Args, h.Data) {
		t.Fatalf("started again on another directory: %q", h.Cmd.Args)
	}
}

func ready(t testing.TB, h *hubProcess) {
	t.Helper()
	resp, err := http.Get(h.URL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("readyz: %s", resp.Status)
	}
}
