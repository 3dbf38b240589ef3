package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Bounds in kB, a third above what docs/benchmarks.md promises: the mapped program
// file and the system's page sizes differ between machines.
const (
	idleMemory = 80 << 10
	peakMemory = 160 << 10
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

// memory is a figure of the process in kB, by its name in /proc/PID/status.
func (h *hubProcess) memory(name string) (kB int) {
	h.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.Cmd.Process.Pid))
	if os.IsNotExist(err) {
		h.t.Skip("the system has no /proc")
	}
	_, line, found := strings.Cut(string(status), name+":")
	if _, err := fmt.Sscan(line, &kB); err != nil || !found {
		h.t.Fatalf("%s in %q: %v", name, status, err)
	}
	return kB
}
