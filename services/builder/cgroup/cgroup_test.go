package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const v2 = "24 30 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	const v1 = "30 1 254:1 / / rw - ext4 /dev/vda rw\n" +
		"31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n" +
		"32 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n" +
		"33 31 0:30 /docker/x /sys/fs/cgroup/cpu,cpuacct rw master:1 - cgroup cgroup rw,cpu,cpuacct\n" +
		"34 31 0:30 / /elsewhere rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"35 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	for text, want := range map[string][]Hierarchy{
		v2: {{Path: "/sys/fs/cgroup"}},
		v1: {{Path: "/sys/fs/cgroup/systemd", Options: "none,name=systemd"},
			{Path: "/sys/fs/cgroup/cpu,cpuacct", Options: "cpu,cpuacct", Controllers: []string{"cpu", "cpuacct"}}, {Path: "/sys/fs/cgroup/unified"}},
		"30 1 254:1 / / rw - ext4 /dev/vda rw\n": nil,
	} {
		if got, err := parse(strings.NewReader(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, bad := range []string{"x\n", "1 2 3 - cgroup\n"} {
		if _, err := parse(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// What limits builds is the version whose groups have the controllers, not any that is mounted.
func TestVersions(t *testing.T) {
	v1, v2, empty := Hierarchy{Options: "memory", Controllers: []string{"memory"}}, Hierarchy{Controllers: []string{"cpu", "pids"}}, Hierarchy{}
	for want, list := range map[string][]Hierarchy{"version 1": {v1, empty}, "version 2": {v2, {Options: "none,name=systemd"}}, "versions 1 and 2": {v1, v2}} {
		if got := Versions(list); got != want {
			t.Errorf("%+v: %s", list, got)
		}
	}
}

// What the processes of a group have used of the processor is counted, those that have ended
// among them.
func TestCPU(t *testing.T) {
	g := group(t, Limits{CPU: 1, Memory: 64 << 20, PIDs: 100})
	before := g.CPU()
	if err := g.within(t, "n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done").Wait(); err != nil {
		t.Fatal(err)
	}
	if used := g.CPU() - before; used < 5*time.Millisecond || used > time.Minute {
		t.Errorf("it has used %v", used)
	}
}

// A check leaves no group behind.
func TestCheck(t *testing.T) {
	g := group(t, Limits{CPU: 1, Memory: 64 << 20, PIDs: 100})
	if err := Check(); err != nil {
		t.Error(err)
	}
	for _, h := range g.list {
		if left, err := filepath.Glob(filepath.Join(h.Path, base, "check-*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func group(t *testing.T, l Limits) *Group {
	t.Helper()
	_, err := Hierarchies()
	if err == nil && os.Geteuid() != 0 {
		err = errors.New("control groups are made by root")
	}
	if err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	g, err := New(fmt.Sprintf("grouptest-%d-%d", os.Getpid(), time.Now().UnixNano()), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Remove(), g.Remove()); err != nil {
			t.Error(err)
		}
		if left := g.there(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	return g
}

// there are the directories of the group.
func (g *Group) there() (list []string) {
	for _, h := range g.list {
		if _, err := os.Stat(g.path(h)); err == nil {
			list = append(list, g.path(h))
		}
	}
	return list
}

// within runs a command of sh in a group.
func (g *Group) within(t *testing.T, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read line; "+command)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	in.Write([]byte("go\n"))
	in.Close()
	return cmd
}

func TestLimits(t *testing.T) {
	g := group(t, Limits{CPU: 0.5, Memory: 32 << 20, PIDs: 10})
	if len(g.there()) != len(g.Hierarchies()) {
		t.Errorf("%v of %v", g.there(), g.Hierarchies())
	}
	if err := g.within(t, "true").Wait(); err != nil || g.OutOfMemory() || g.OutOfPIDs() {
		t.Errorf("%v, memory %t, processes %t", err, g.OutOfMemory(), g.OutOfPIDs())
	}
	if err := g.within(t, "exec head -c 100m /dev/zero | exec tail -c 100m >/dev/null; exit 3").Wait(); err == nil || !g.OutOfMemory() || !g.OutOfMemory() {
		t.Errorf("%v, memory %t", err, g.OutOfMemory())
	}
	if g.OutOfPIDs() {
		t.Error("it had no ten processes")
	}
	g.within(t, "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.1 & done; wait").Wait()
	if !g.OutOfPIDs() {
		t.Error("it had ten processes")
	}
	if _, err := New(g.name, Limits{CPU: 1, Memory: 32 << 20, PIDs: 10}); !errors.Is(err, fs.ErrExist) || len(g.there()) == 0 {
		t.Errorf("made twice: %v, %v", err, g.there())
	}
}

// What ignores signals, and groups below, end with the group.
func TestRemove(t *testing.T) {
	for name, remove := range map[string]func(g *Group) error{"remove": (*Group).Remove, "sweep": func(g *Group) error { return Sweep(g.name) }} {
		t.Run(name, func(t *testing.T) {
			g := group(t, Limits{CPU: 1, Memory: 64 << 20, PIDs: 10})
			cmd := g.within(t, "trap '' TERM INT HUP; sleep 1000 & sleep 1000")
			done := make(chan struct{})
			go func() { cmd.Wait(); close(done) }()
			for _, h := range g.list {
				if !h.has("cpuset") && os.Mkdir(filepath.Join(g.path(h), "below"), 0o755) != nil {
					t.Error("no group can be made below " + g.path(h))
				}
			}
			if err := remove(g); err != nil {
				t.Error(err)
			}
			<-done
			if left := g.there(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A group that was given to a user has the processes that are added; one that is set aside
// is in a group that the user does not own. Both are below the limits.
func TestDelegate(t *testing.T) {
	const user = 54321
	g := group(t, Limits{CPU: 1, Memory: 64 << 20, PIDs: 10})
	if err := g.Delegate(user); err != nil {
		t.Fatal(err)
	}
	sleep := exec.Command("sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer sleep.Wait()
	defer sleep.Process.Kill()
	in := func() (list []string) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", sleep.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			list = append(list, strings.TrimSpace(line[strings.LastIndexByte(line, ':')+1:]))
		}
		return list
	}
	for name, move := range map[string]func(int) error{"/" + inside: g.Add, "/" + beside: g.SetAside} {
		if err := move(sleep.Process.Pid); err != nil {
			t.Fatal(err)
		}
		for _, path := range in() {
			if !strings.HasSuffix(path, "/"+g.name+name) {
				t.Errorf("it is in %s, not in %s", path, name)
			}
		}
	}
	for _, h := range g.Hierarchies() {
		for dir, want := range map[string]uint32{"": 0, inside: user, beside: 0} {
			info, err := os.Stat(filepath.Join(g.path(h), dir))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
				t.Errorf("%s of %s belongs to %d", dir, h.Path, got)
			}
		}
	}
}
