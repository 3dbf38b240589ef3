package processtest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// dirVariable tells a process that it is one to be killed, and where it lives.
const dirVariable = "HUBLEDGER_PROCESSTEST_DIR"

const started = "the manager runs"

// KillProcess runs the manager in processes of its own and kills them, so many
// times, at random moments; then it must end in the state in which it ends
// undisturbed. The test that calls it must do nothing else before.
func KillProcess(t *testing.T, w World, times int) {
	if dir := os.Getenv(dirVariable); dir != "" {
		w.untilKilled(t, dir)
	}
	base := w.prepare(t)
	want := w.undisturbed(t, base)
	dir := copied(t, base)
	for range times {
		killOne(t, dir)
	}
	if got := w.end(t, dir); got != want {
		t.Fatalf("killed %d times, it ends in\n%s\nnot in\n%s", times, got, want)
	}
}

// untilKilled runs the manager slowly, so that a kill meets it in its middle.
func (w World) untilKilled(t *testing.T, dir string) {
	l := open(t, dir, nil)
	l.slow = 2 * time.Millisecond
	r, _ := w.runner(t, l)
	fmt.Println("\n" + started)
	t.Fatal(r.Run(context.Background()))
}

// killOne starts a process on the directory and kills it.
func killOne(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), dirVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != started {
		fmt.Fprintln(&said, lines.Text())
	}
	if lines.Text() != started {
		cmd.Wait()
		t.Fatalf("the process does not start:\n%s", said.String())
	}
	time.Sleep(rand.N(40 * time.Millisecond))
	cmd.Process.Kill()
	cmd.Wait() // it was killed
}
