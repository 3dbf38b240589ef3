package buildkit_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func unmarshal(data []byte, to any) error { return json.Unmarshal(data, to) }

// nothingLeft wants no process, mount, loop device, control group or file of builds.
func (w *world) nothingLeft() {
	w.t.Helper()
	var left []string
	// The kernel frees a loop device, and a mount's control group, a moment later.
	if !eventually(func() bool { left = w.left(); return len(left) == 0 }) {
		w.t.Errorf("a build left: %s", strings.Join(left, ", "))
	}
}

// left is all that there is of builds of this driver.
func (w *world) left() (list []string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, w.dir) {
			list = append(list, "mount "+strings.TrimSpace(line))
		}
	}
	list = append(list, w.processes()...)
	backing, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range backing {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), w.dir) {
			list = append(list, "loop device "+file)
		}
	}
	filepath.WalkDir("/sys/fs/cgroup", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && filepath.Base(filepath.Dir(path)) == "hubledger-builds" && strings.HasPrefix(e.Name(), w.driver.Marker()) {
			list = append(list, "control group "+path)
		}
		return nil
	})
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			list = append(list, "file "+e.Name())
		}
	}
	return list
}

// processes are those of builds of this driver.
func (w *world) processes() []string { return processesIn("hubledger-builds/" + w.driver.Marker()) }

// processesIn are those whose control group's path has a part.
func processesIn(group string) (list []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.Contains(string(text), group) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			list = append(list, "process "+filepath.Base(filepath.Dir(file))+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return list
}

// eventually waits for what another process does.
func eventually(is func() bool) bool {
	for range 1000 {
		if is() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
