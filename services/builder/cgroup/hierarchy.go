// Package cgroup makes control groups for builds, of version 1 and 2 and of both
// at once: it limits a build with all its processes, tells whether memory was
// short, and leaves nothing behind.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// base is the group, in every hierarchy, below which those of builds are.
const base = "hubledger-builds"

// A Hierarchy is a mounted tree of control groups.
type Hierarchy struct {
	Path        string   // where it is mounted
	Options     string   // that mount it: "cpu,cpuacct", or "name=systemd"; "" for version 2
	Controllers []string // that it has: of version 2 those that can be enabled
}

// V2 says whether it is one of version 2.
func (h Hierarchy) V2() bool { return h.Options == "" }

func (h Hierarchy) has(controller string) bool { return slices.Contains(h.Controllers, controller) }

// Hierarchies are those of this machine. An error says which controller is missing
// that limits of builds need.
func Hierarchies() ([]Hierarchy, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	for k := range list {
		if !list[k].V2() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(list[k].Path, "cgroup.controllers"))
		if err != nil {
			return nil, fmt.Errorf("read the controllers of control groups: %w", err)
		}
		list[k].Controllers = strings.Fields(string(text))
	}
	for _, c := range []string{"cpu", "memory", "pids"} {
		if !slices.ContainsFunc(list, func(h Hierarchy) bool { return h.has(c) }) {
			return nil, fmt.Errorf("there are no control groups of %s, so builds cannot be limited: start the kernel with cgroup_enable=%s where it leaves them out, and mount them if nothing has: mount -t cgroup2 none /sys/fs/cgroup", c, c)
		}
	}
	return list, nil
}

// controllers are those of version 1 that the kernel knows.
var controllers = []string{"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "misc",
	"net_cls", "net_prio", "perf_event", "pids", "rdma"}

// parse reads mountinfo, see proc(5).
func parse(r io.Reader) (list []Hierarchy, err error) {
	seen := map[string]bool{}
	for lines := bufio.NewScanner(r); ; {
		if !lines.Scan() {
			return list, lines.Err()
		}
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(rest) < 3 {
			return nil, errors.New("a line of mountinfo is of another form")
		}
		h := Hierarchy{Path: fields[4]}
		switch rest[0] {
		case "cgroup2":
		case "cgroup":
			var options []string
			for o := range strings.SplitSeq(rest[2], ",") {
				if slices.Contains(controllers, o) {
					h.Controllers = append(h.Controllers, o)
					options = append(options, o)
				} else if strings.HasPrefix(o, "name=") {
					options = append(options, "none", o)
				}
			}
			h.Options = strings.Join(options, ",")
			if h.Options == "" {
				continue
			}
		default:
			continue
		}
		if !seen[h.Options] { // a hierarchy may be mounted twice
			seen[h.Options] = true
			list = append(list, h)
		}
	}
}

// Versions says, for people, by which control groups builds are limited: those that have
// the controllers that limits need.
func Versions(list []Hierarchy) string {
	var one, two bool
	for _, h := range list {
		if h.has("cpu") || h.has("memory") || h.has("pids") {
			one, two = one || !h.V2(), two || h.V2()
		}
	}
	switch {
	case one && two:
		return "versions 1 and 2"
	case two:
		return "version 2"
	}
	return "version 1"
}
