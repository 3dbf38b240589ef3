package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits are those of a group with all below it.
type Limits struct {
	CPU    float64 // cores
	Memory int64   // bytes
	PIDs   int64   // processes and threads
}

// A Group is a control group in every hierarchy.
type Group struct {
	name   string
	limits Limits
	list   []Hierarchy
	inside string  // the group below it, of its processes; "" for itself
	oom    *notice // of version 1
}

// New makes a group. Its name is one of a file; when there is such a group already,
// that is an error. After an error nothing of it is left.
func New(name string, l Limits) (g *Group, err error) {
	list, err := Hierarchies()
	if err != nil {
		return nil, err
	}
	g = &Group{name: name, limits: l, list: list}
	defer func() {
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = errors.Join(err, g.Remove())
		}
	}()
	for _, h := range list {
		if err := g.create(h); err != nil {
			return nil, fmt.Errorf("make a control group: %w", err)
		}
		if err := g.limit(h, l); err != nil {
			return nil, fmt.Errorf("limit a control group: %w", err)
		}
		if h.has("memory") && !h.V2() {
			if g.oom, err = watchMemory(g.path(h)); err != nil {
				return nil, fmt.Errorf("watch the memory of a control group: %w", err)
			}
		}
	}
	return g, nil
}

func (g *Group) path(h Hierarchy) string { return filepath.Join(h.Path, base, g.name) }

func (g *Group) create(h Hierarchy) error {
	above := filepath.Join(h.Path, base)
	for _, dir := range []string{above, g.path(h)} {
		if err := os.Mkdir(dir, 0o755); err != nil && (dir != above || !errors.Is(err, fs.ErrExist)) {
			return err
		}
		if err := h.fill(dir); err != nil {
			return err
		}
	}
	if h.V2() {
		for _, dir := range []string{h.Path, above} {
			if err := Enable(dir, h.Controllers); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill lets a new group have processes: of version 1 an empty cpuset takes none.
func (h Hierarchy) fill(dir string) error {
	if !h.has("cpuset") || h.V2() {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(dir), file))
		if err != nil {
			return err
		}
		if err := write(dir, file, strings.TrimSpace(string(text))); err != nil {
			return err
		}
	}
	return nil
}

// The groups that Delegate makes.
const (
	inside = "inside"
	beside = "beside"
)

// Delegate gives a user a group below this one, to which processes are added from
// then on. The user makes groups below it, and the limits of this one stay.
func (g *Group) Delegate(user int) error {
	for _, h := range g.list {
		if h.V2() {
			if err := Enable(g.path(h), h.Controllers); err != nil {
				return err
			}
		}
		dir := filepath.Join(g.path(h), inside)
		for _, one := range []string{dir, filepath.Join(g.path(h), beside)} {
			if err := errors.Join(os.Mkdir(one, 0o755), h.fill(one)); err != nil {
				return fmt.Errorf("make a control group: %w", err)
			}
		}
		for _, file := range []string{"", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"} {
			if err := os.Chown(filepath.Join(dir, file), user, user); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("give a control group away: %w", err)
			}
		}
	}
	g.inside = inside
	return nil
}

// SetAside moves a process out of the group that the user was given: of version 2 one
// that limits those below it has no processes itself. The limits of this one stay.
func (g *Group) SetAside(pid int) error { return g.add(pid, beside) }

// Check makes a group with limits and removes it: an error is why builds cannot have one.
func Check() error {
	g, err := New(fmt.Sprintf("check-%d", os.Getpid()), Limits{CPU: 1, Memory: 64 << 20, PIDs: 100})
	if err != nil {
		return err
	}
	return g.Remove()
}

// Enable gives the groups below one of version 2 the controllers that limits need,
// of those that there are.
func Enable(dir string, have []string) error {
	var text string
	for _, c := range have {
		if c == "cpu" || c == "memory" || c == "pids" {
			text += " +" + c
		}
	}
	if text == "" {
		return nil
	}
	err := write(dir, "cgroup.subtree_control", strings.TrimSpace(text))
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%w: the control group %s has processes, so it cannot limit those below it; start the builder in a group below that: mkdir %s/builder && echo $$ > %s/builder/cgroup.procs, for every process that is in it", err, dir, dir, dir)
	}
	return err
}

const period = 100_000 // µs, in which a quota of CPU time is counted

func (g *Group) limit(h Hierarchy, l Limits) error {
	dir, quota := g.path(h), max(int64(l.CPU*period), 1000)
	type setting struct{ controller, v1, v2, value1, value2 string }
	for _, s := range []setting{
		{"pids", "pids.max", "pids.max", strconv.FormatInt(l.PIDs, 10), strconv.FormatInt(l.PIDs, 10)},
		{"memory", "memory.limit_in_bytes", "memory.max", strconv.FormatInt(l.Memory, 10), strconv.FormatInt(l.Memory, 10)},
		{"cpu", "cpu.cfs_quota_us", "cpu.max", strconv.FormatInt(quota, 10), fmt.Sprintf("%d %d", quota, period)},
	} {
		if !h.has(s.controller) {
			continue
		}
		file, value := s.v1, s.value1
		if h.V2() {
			file, value = s.v2, s.value2
		}
		if err := write(dir, file, value); err != nil {
			return err
		}
	}
	if h.has("memory") {
		// Where the kernel counts swap apart, there is none for builds.
		file, value := "memory.memsw.limit_in_bytes", strconv.FormatInt(l.Memory, 10)
		if h.V2() {
			file, value = "memory.swap.max", "0"
		}
		if err := write(dir, file, value); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return nil
}

// Add puts a process into the group.
func (g *Group) Add(pid int) error { return g.add(pid, g.inside) }

func (g *Group) add(pid int, below string) error {
	for _, h := range g.list {
		if err := write(filepath.Join(g.path(h), below), "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("put a process into a control group: %w", err)
		}
	}
	return nil
}

// Hierarchies are those in which it is.
func (g *Group) Hierarchies() []Hierarchy { return g.list }

// write never makes a file: in a control group the kernel does.
func write(dir, file, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
