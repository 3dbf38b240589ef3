package buildkit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hubledger/services/builder/buildkit"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

// victimOrders tells a process that is to be killed what to build.
const victimOrders = "HUBLEDGER_TEST_VICTIM"

type orders struct {
	Dir, Hub, Registry, Token string
	Tools                     buildkit.Tools
	Spec                      driver.Spec
}

// victim builds, and says when the build has logged something.
func victim(text string) int {
	var o orders
	err := json.Unmarshal([]byte(text), &o)
	hub, urlErr := url.Parse(o.Hub)
	if err := errors.Join(err, urlErr); err != nil {
		fmt.Println(err)
		return 1
	}
	d, err := buildkit.New(caged.Config{Dir: o.Dir, Hub: hub, Registry: o.Registry, Logger: slog.New(slog.DiscardHandler),
		Credentials: func(driver.Spec) relay.Credentials { return fixed(o.Token) }}, o.Tools)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	b, err := d.Prepare(context.Background(), o.Spec)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_, err = b.Run(context.Background(), func(e driver.Event) {
		if e.Kind == driver.Log {
			fmt.Println(string(e.Data))
		}
	})
	fmt.Println(err)
	return 1
}

// A build whose driver is killed ends with it, and the next driver removes its files
// and control groups.
func TestKilledDriver(t *testing.T) {
	w := newWorld(t)
	o := orders{Dir: filepath.Join(t.TempDir(), "killed"), Hub: w.hub.URL, Registry: w.name, Tools: w.tools, Spec: w.spec(fromBase + "RUN hang twice\n")}
	o.Token, _, _ = credentials{w}.Token(t.Context(), "admin/base", false)
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimOrders+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "hanging") {
		t.Errorf("%q, %v", line, err)
	}
	w.config.Dir, w.dir = o.Dir, o.Dir
	if _, err := buildkit.New(w.config, w.tools); err == nil || !strings.Contains(err.Error(), "another builder") {
		t.Errorf("two drivers on one directory: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if !eventually(func() bool { return len(processesIn(o.Spec.ID)) == 0 }) {
		t.Errorf("the driver was killed, and of its build there is %v", processesIn(o.Spec.ID))
	}
	before := w.driver
	w.driver = w.open()
	if before.Marker() == w.driver.Marker() {
		t.Error("two directories have one marker")
	}
	w.nothingLeft()
}

// A build whose buildkitd is killed fails, and leaves nothing.
func TestKilledDaemon(t *testing.T) {
	w := newWorld(t)
	b, err := w.driver.Prepare(t.Context(), w.spec(fromBase+"RUN hang twice\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got told
	got.result, got.err = b.Run(t.Context(), func(e driver.Event) {
		got.take(e)
		if e.Kind == driver.Log && strings.Contains(string(e.Data), "hanging") {
			for _, p := range w.processes() {
				if fields := strings.Fields(p); strings.HasSuffix(fields[2], "/buildkitd") {
					pid, _ := strconv.Atoi(fields[1])
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	})
	got.fails(t, driver.Broken, "killed")
	if err := b.Destroy(); err != nil {
		t.Error(err)
	}
	w.nothingLeft()
}
