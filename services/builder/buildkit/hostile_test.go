package buildkit_test

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"hubledger/services/builder/driver"
	"hubledger/services/registry/registrytest"
)

const fromBase = "FROM REGISTRY/admin/base:1\n"

// What a step may not do ends it, in bounds and with the true reason.
func TestHostileSteps(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, dockerfile string
		change           func(*driver.Spec)
		kind             driver.Kind
		part             string
	}{
		{name: "fork bomb", dockerfile: fromBase + "RUN bomb\n", kind: driver.Processes, part: "200",
			change: func(s *driver.Spec) { s.Limits.Time = 20 * time.Second }},
		{name: "disk filler", dockerfile: fromBase + "RUN fill /x\n", kind: driver.DiskFull, part: "64 MiB"},
		{name: "disk filler in tmp", dockerfile: fromBase + "RUN fill /tmp/x\n", kind: driver.DiskFull, part: "64 MiB"},
		{name: "memory", dockerfile: fromBase + "RUN eat\n", kind: driver.Memory, part: "256 MiB",
			change: func(s *driver.Spec) { s.Limits.Memory = 256 << 20 }},
		{name: "no memory for BuildKit", dockerfile: fromBase, kind: driver.Memory, part: "12 MiB",
			change: func(s *driver.Spec) { s.Limits.Memory = 12 << 20 }},
		{name: "no memory for the cage", dockerfile: fromBase, kind: driver.Memory, part: "4 MiB",
			change: func(s *driver.Spec) { s.Limits.Memory = 4 << 20 }},
		{name: "hang", dockerfile: fromBase + "RUN hang twice\n", kind: driver.IdleLimit, part: "2s",
			change: func(s *driver.Spec) { s.Limits.Idle = 2 * time.Second }},
		{name: "hang too long", dockerfile: fromBase + "RUN hang twice\n", kind: driver.TimeLimit, part: "3s",
			change: func(s *driver.Spec) { s.Limits.Time = 3 * time.Second }},
		{name: "exit", dockerfile: fromBase + "RUN exit 7\n", kind: driver.StepFailed, part: "exit code: 7"},
		{name: "network", dockerfile: fromBase + "RUN dial 127.0.0.1:1\n", kind: driver.StepFailed, part: "no network"},
		{name: "host network", dockerfile: fromBase + "RUN --network=host dial 127.0.0.1:1\n", kind: driver.Dockerfile, part: "network.host"},
		{name: "the relay", dockerfile: fromBase + "RUN dial REGISTRY\n", kind: driver.StepFailed, part: "no network"},
		{name: "insecure", dockerfile: fromBase + "RUN --security=insecure echo\n", kind: driver.Dockerfile, part: "security.insecure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			s := w.spec(c.dockerfile)
			if c.change != nil {
				c.change(&s)
			}
			w.run(s).fails(t, c.kind, c.part)
		})
	}
}

// Whatever is wrong with a Dockerfile or with what it needs is told as such.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	elf := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
	elf[16], elf[18], elf[20] = 2, 183, 1 // an executable of AArch64
	w.pushProgram("admin/arm", "1", "arm64", elf)
	w.client.MustPush(t, "admin/index", "1", registrytest.NewIndex(w.push("admin/index", "amd64", "amd64", "")))
	for _, c := range []struct {
		name, dockerfile string
		change           func(*driver.Spec)
		kind             driver.Kind
		part             string
		line             int
	}{
		{name: "unknown instruction", dockerfile: "FROM scratch\n\nFETCH x\n", kind: driver.Dockerfile, part: "FETCH", line: 3},
		{name: "empty", dockerfile: "", kind: driver.Dockerfile, part: "cannot be empty"},
		{name: "no stage", dockerfile: "FROM scratch\nCOPY --from=nowhere / /\n", kind: driver.BaseImage, part: "nowhere"},
		{name: "no target", dockerfile: "FROM scratch\n", kind: driver.Dockerfile, part: "other",
			change: func(s *driver.Spec) { s.Target = "other" }},
		{name: "no file", dockerfile: "FROM scratch\nCOPY nothing /\n", kind: driver.Source, part: "nothing"},
		{name: "no base in the hub", dockerfile: "FROM REGISTRY/admin/none:1\n", kind: driver.BaseImage, part: "which has no admin/none:1 that this build may pull: push it"},
		{name: "no base of Docker Hub", dockerfile: "FROM busybox\n", kind: driver.BaseImage, part: "which has no library/busybox:latest that this build may pull: push it to library/busybox and make"},
		{name: "a base elsewhere", dockerfile: "FROM ghcr.io/a/b:1\n", kind: driver.BaseImage, part: "cannot reach ghcr.io: push the image"},
		{name: "no network to add from", dockerfile: "FROM scratch\nADD https://93.184.216.34/x /\n", kind: driver.Network, part: "network"},
		{name: "no network to add a name from", dockerfile: "FROM scratch\nADD https://example.com/x /\n", kind: driver.Network, part: "network"},
		{name: "no network for git", dockerfile: "FROM scratch\nADD https://example.com/x.git /\n", kind: driver.Network, part: "network"},
		{name: "another platform", dockerfile: "FROM --platform=linux/arm64 REGISTRY/admin/arm:1\nRUN echo\n", kind: driver.Platform, part: "platform"},
		{name: "no base for the platform", dockerfile: "FROM REGISTRY/admin/index:1\n", kind: driver.BaseImage, part: "no match for platform",
			change: func(s *driver.Spec) { s.Platforms = []string{"linux/arm64"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			s := w.spec(c.dockerfile)
			if c.change != nil {
				c.change(&s)
			}
			if f := w.run(s).fails(t, c.kind, c.part); c.line > 0 && f.Line != c.line {
				t.Errorf("line %d", f.Line)
			}
		})
	}
}

// A log that floods is cut, and the build goes on.
func TestFlood(t *testing.T) {
	w := newWorld(t)
	s := w.spec(fromBase + "RUN flood 20000000\nRUN echo after\n")
	got := w.run(s).succeeds(t)
	if int64(len(got.log)) != s.Limits.Log || !strings.Contains(got.String(), "the rest is left out") {
		t.Errorf("%d bytes", len(got.log))
	}
}

// Behind the end of its log a build that works is not idle, and one that hangs is.
func TestAliveBehindTheLog(t *testing.T) {
	w := newWorld(t)
	for step, fails := range map[string]bool{"work 6s": false, "hang twice": true} {
		s := w.spec(fromBase + "RUN flood 2000000\nRUN " + step + "\n")
		s.Limits.Idle = 3 * time.Second
		if got := w.run(s); fails {
			got.fails(t, driver.IdleLimit, "3s")
		} else {
			got.succeeds(t)
		}
	}
}

// The same with 1 GB of log, of which 64 MiB are kept: the memory of this process does not
// grow with what is left out.
func TestGigabyteOfLog(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: 1 GB of log takes a minute or so")
	}
	w := newWorld(t)
	s := w.spec(fromBase + "RUN flood 1000000000\nRUN echo after\n")
	s.Limits.Log, s.Limits.Disk = 64<<20, 1<<30 // BuildKit keeps a copy of the log on its disk
	one, err := w.driver.Prepare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Destroy()
	var kept, told int64
	var most uint64
	_, err = one.Run(t.Context(), func(e driver.Event) {
		kept += int64(len(e.Data))
		if e.Kind == driver.Warned && strings.Contains(e.Text, "the rest is left out") {
			told++
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	})
	if err != nil || kept != s.Limits.Log || told != 1 || most > 256<<20 {
		t.Errorf("%v; kept are %d bytes, it was told %d times, the heap had %d MiB", err, kept, told, most>>20)
	}
}
