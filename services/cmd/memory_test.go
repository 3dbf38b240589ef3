package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bounds in kB, a fifth to a third above what docs/benchmarks.md promises: the mapped
// program file and the system's page sizes differ between machines.
const (
	idleMemory  = 80 << 10
	peakMemory  = 150 << 10
	agentMemory = 40 << 10
)

// An idle hub is small: after its first start, which hashes a password, and after
// logins and writes. No moment of these takes much more than the one hash.
func TestIdleMemory(t *testing.T) {
	h := startHub(t)
	until(t, "the memory of the first start to be given back", func() bool { return h.memory("VmRSS") < idleMemory })
	for i := range 100 {
		admin.does(t, h, "POST", "/api/v1/repositories", object{"name": fmt.Sprint("admin/many", i), "readme": strings.Repeat("words ", 1000)})
	}
	until(t, "the memory of a burst to be given back", func() bool { return h.memory("VmRSS") < idleMemory })
	if peak := h.memory("VmHWM"); peak > peakMemory {
		t.Errorf("the peak was %d kB", peak)
	}
}

// The pages cost an idle hub little: at most pagesMemory more than the hub without them.
func TestIdleMemoryOfPages(t *testing.T) {
	const pagesMemory = 8 << 10 // kB
	least := func(args ...string) int {
		h := startHub(t, append([]string{"--builder", "off"}, args...)...)
		defer h.Stop()
		until(t, "the memory of the first start to be given back", func() bool { return h.memory("VmRSS") < idleMemory })
		n := h.memory("RssAnon")
		for range 10 { // it collects garbage now and then
			time.Sleep(time.Second)
			n = min(n, h.memory("RssAnon"))
		}
		return n
	}
	with, without := least(), least("--services", "auth,registry,api,sources,rules,builder,deployer,hostagent,audit,cleanup,backup,system")
	t.Logf("%d kB with pages, %d kB without", with, without)
	if with > without+pagesMemory {
		t.Errorf("idle it has %d kB with pages, and %d kB without", with, without)
	}
}

// An idle agent that is connected to its hub and to an engine is small.
func TestIdleAgentMemory(t *testing.T) {
	docker(t)
	dir := t.TempDir()
	if out, err := exec.Command(program(t), "tls", "init", "--host", "127.0.0.1", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := startHub(t, "--builder", "off", "--nats-listen", freeAddr(t), "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"))
	out, errOut, code := h.Run("--json", "hosts", "enroll", "web1")
	var invited struct{ Token string }
	if err := json.Unmarshal([]byte(out), &invited); err != nil || code != 0 {
		t.Fatalf("%v\n%s%s", err, out, errOut)
	}
	agent := &builderProcess{t: t, Data: filepath.Join(t.TempDir(), "web1"), log: &logBuffer{}, args: []string{"agent", "--hub", h.URL, "--ca", filepath.Join(dir, "ca.crt"), "--weights", freeAddr(t)}}
	t.Cleanup(agent.kill)
	agent.start("HUBLEDGER_ENROLL=" + invited.Token)
	until(t, "its engine is known", func() bool {
		out, _, _ := h.Run("hosts", "ls")
		return strings.Contains(out, "connected") && !strings.Contains(out, "error")
	})
	until(t, "it to be small", func() bool { return memoryOf(t, agent.cmd.Process.Pid, "VmRSS") < agentMemory })
	for range 10 { // it stays so while it reports
		time.Sleep(time.Second)
		if kB := memoryOf(t, agent.cmd.Process.Pid, "VmRSS"); kB > agentMemory {
			t.Errorf("idle it has %d kB", kB)
		}
	}
	t.Logf("%d kB, of which %d kB are its own", memoryOf(t, agent.cmd.Process.Pid, "VmRSS"), memoryOf(t, agent.cmd.Process.Pid, "RssAnon"))
}

// memory is a figure of the process in kB, by its name in /proc/PID/status.
func (h *hubProcess) memory(name string) (kB int) {
	h.t.Helper()
	return memoryOf(h.t, h.Cmd.Process.Pid, name)
}

func memoryOf(t testing.TB, pid int, name string) (kB int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if os.IsNotExist(err) {
		t.Skip("the system has no /proc")
	}
	_, line, found := strings.Cut(string(status), name+":")
	if _, err := fmt.Sscan(line, &kB); err != nil || !found {
		t.Fatalf("%s in %q: %v", name, status, err)
	}
	return kB
}
