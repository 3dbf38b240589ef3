package dockerd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/dockerd"
	"hubledger/services/builder/driver"
)

// victimOrders tells a process that is to be killed what to build.
const victimOrders = "HUBLEDGER_TEST_VICTIM"

type orders struct {
	Dir, Registry string
	Tools         dockerd.Tools
	Spec          driver.Spec
}

// victim builds, and says what the build logs.
func victim(text string) int {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println(err)
		return 1
	}
	d, err := dockerd.New(caged.Config{Dir: o.Dir, Hub: &url.URL{Scheme: "http", Host: o.Registry}, Registry: o.Registry, Logger: slog.New(slog.DiscardHandler)}, o.Tools)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	b, err := d.Prepare(context.Background(), o.Spec)
	if err == nil {
		_, err = b.Run(context.Background(), func(e driver.Event) { fmt.Print(string(e.Data)) })
	}
	fmt.Println(err)
	return 1
}

// A build whose driver is killed ends with it: engine, hook, and what they have
// started. The next driver removes its files and control groups.
func TestKilledDriver(t *testing.T) {
	w := newWorld(t)
	o := orders{Dir: filepath.Join(t.TempDir(), "killed"), Registry: w.name, Tools: w.tools,
		Spec: w.spec("Dockerfile", fromBase, "hooks/pre_build", "#!/bin/bash\ntrap '' TERM\nsetsid sleep 1000 &\necho hanging\nwhile true; do sleep 1; done\n")}
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
	if err != nil || line != "hanging\n" {
		t.Errorf("%q, %v", line, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	running := func() (list []string) {
		files, _ := filepath.Glob("/proc/[0-9]*/cgroup")
		for _, file := range files {
			if text, _ := os.ReadFile(file); strings.Contains(string(text), o.Spec.ID) {
				list = append(list, file)
			}
		}
		return list
	}
	for range 1000 {
		if len(running()) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if list := running(); len(list) > 0 {
		t.Errorf("the driver was killed, and of its build there is %v", list)
	}
	w.dir = o.Dir
	w.open()
	w.nothingLeft()
}
