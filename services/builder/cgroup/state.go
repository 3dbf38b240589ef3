package cgroup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A notice hears of a lack of memory from a hierarchy of version 1.
type notice struct {
	event   int // an eventfd; os.File would make it a blocking one
	control *os.File
}

// watchMemory is told when memory is short in a group or in one below it (the
// kernel's Documentation/admin-guide/cgroup-v1/memory.rst, 10).
func watchMemory(dir string) (*notice, error) {
	control, err := os.Open(filepath.Join(dir, "memory.oom_control"))
	if err != nil {
		return nil, err
	}
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		control.Close()
		return nil, os.NewSyscallError("eventfd", err)
	}
	n := &notice{fd, control}
	if err := write(dir, "cgroup.event_control", fmt.Sprintf("%d %d", fd, control.Fd())); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *notice) close() { unix.Close(n.event); n.control.Close() }

// OutOfMemory says whether the kernel ended a process of the group, or of one below
// it, because it had no memory left.
func (g *Group) OutOfMemory() bool {
	if g.oom != nil {
		var count [8]byte
		n, err := unix.Read(g.oom.event, count[:])
		if err == nil && n == len(count) && binary.NativeEndian.Uint64(count[:]) > 0 {
			unix.Write(g.oom.event, count[:]) // so it says so again
			return true
		}
		return false
	}
	return g.count("memory", "memory.events", "oom_kill ") > 0
}

// OutOfPIDs says whether the group had as many processes as it may. Version 1 counts
// failures where the process is that wanted another one, so there the most that
// there were have to do (from Linux 6.11 on).
func (g *Group) OutOfPIDs() bool {
	return g.count("pids", "pids.events", "max ") > 0 || g.limits.PIDs > 0 && g.count("pids", "pids.peak", "") >= g.limits.PIDs
}

// CPU is the processor time that all processes of the group have used, those that have
// ended among them; 0 where the kernel does not say.
func (g *Group) CPU() time.Duration {
	if n := g.count("cpuacct", "cpuacct.usage", ""); n > 0 {
		return time.Duration(n)
	}
	return time.Duration(g.count("cpu", "cpu.stat", "usage_usec ")) * time.Microsecond
}

// count is a number that a file of a group has behind a key, 0 when it has none.
func (g *Group) count(controller, file, key string) int64 {
	for _, h := range g.list {
		if !h.has(controller) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(g.path(h), file))
		if err != nil {
			return 0
		}
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, key); ok {
				n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
				return n
			}
		}
	}
	return 0
}

// closeNotice is part of the end of a group.
func (g *Group) closeNotice() {
	if g.oom != nil {
		g.oom.close()
		g.oom = nil
	}
}

// isGone says whether an error is that of a group or process that is not there any more.
func isGone(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) }
