// Package processtest kills a process manager at each of its steps, starts it
// again, and checks that all ends as if it had never been killed.
//
//	func TestPullCountsSurviveAKill(t *testing.T) {
//		processtest.KillAtEveryStep(t, processtest.World{
//			Prepare: func(t testing.TB, l *processtest.Life) { … what is due … },
//			Manager: func(t testing.TB, l *processtest.Life) process.Manager { … on l.Log and l.Store … },
//		})
//	}
//
// A step is an append, a change of the operational store, or an effect that the
// manager is given through Life.Step. A kill comes in two forms: the step was
// not made, or it was made and nobody was told. From then on nothing can be
// written. What an end of the power loses is not tested here.
package processtest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/process"
)

// A World is what a manager acts on.
type World struct {
	// Prepare makes what is due, once and undisturbed.
	Prepare func(t testing.TB, l *Life)
	// Manager makes the manager as the program does when it starts. Back-off and
	// intervals are shortened.
	Manager func(t testing.TB, l *Life) process.Manager
	// State says what the manager's effects have left outside of the log: the
	// same text for the same state. Nil: nothing.
	State func(t testing.TB, l *Life) string
	// NewIDs: no event completes a task, and each life gives its events new ids.
	NewIDs bool
}

// KillAtEveryStep runs the manager to its end, and then again and again from
// the same beginning, killed at its first step, at its second one, and so on,
// and started again. Each time it must end in the same state: the same events,
// each once, nothing due, no dead letter.
func KillAtEveryStep(t testing.TB, w World) {
	base := w.prepare(t)
	want := w.undisturbed(t, base)
	for _, persists := range []bool{false, true} {
		for k := 1; ; k++ {
			dir := copied(t, base)
			killed := w.live(t, dir, killAt(k, persists))
			if got := w.end(t, dir); got != want {
				t.Fatalf("killed at step %d (made: %v) and started again, it ends in\n%s\nnot in\n%s", k, persists, got, want)
			}
			if !killed {
				t.Logf("killed at each of %d steps (made: %v)", k-1, persists)
				if k < 3 {
					t.Fatal("the manager has no steps")
				}
				break
			}
		}
	}
}

// prepare makes the beginning, and returns its directory.
func (w World) prepare(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, dir, nil)
	defer l.close()
	w.Prepare(t, l)
	return dir
}

// undisturbed is the end of a run without a kill.
func (w World) undisturbed(t testing.TB, base string) string {
	t.Helper()
	want := w.end(t, copied(t, base))
	if want == w.state(t, base) {
		t.Fatal("nothing was due: the manager has changed nothing")
	}
	return want
}

// end runs the manager until nothing is due, and returns the state.
func (w World) end(t testing.TB, dir string) string {
	t.Helper()
	w.live(t, dir, nil)
	return w.state(t, dir)
}

// within bounds how long a life waits for its end.
const within = time.Minute

// live runs one life until nothing is due or it was killed, and says which.
func (w World) live(t testing.TB, dir string, f *faults) (killed bool) {
	t.Helper()
	l := open(t, dir, f)
	defer l.close()
	r, m := w.runner(t, l)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	f.arm()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for {
		select {
		case <-f.dead():
			return true
		case <-ctx.Done():
			status, err := r.Status(context.Background())
			t.Fatalf("it does not come to an end: %+v, %v", status, err)
		case <-time.After(2 * time.Millisecond):
		}
		due, err := m.Due(ctx, time.Now())
		if err == nil && len(due) == 0 && l.rows() == 0 {
			return false
		}
	}
}

func (w World) runner(t testing.TB, l *Life) (*process.Runner, process.Manager) {
	t.Helper()
	m := w.Manager(t, l)
	m.Every = 5 * time.Millisecond
	m.Backoff.First, m.Backoff.Max = time.Millisecond, 4*time.Millisecond
	r, err := process.New(context.Background(), process.Config{Store: l.Store, Log: l.Log, Subscribe: l.subscribe(), Logger: quiet}, m)
	if err != nil {
		t.Fatal(err)
	}
	return r, m
}

// state is what the log and the effects are at.
func (w World) state(t testing.TB, dir string) string {
	t.Helper()
	l := open(t, dir, nil)
	defer l.close()
	lines := l.events(w.NewIDs)
	slices.Sort(lines)
	if n := len(slices.Compact(slices.Clone(lines))); n != len(lines) {
		t.Fatalf("an event is there twice:\n%s", strings.Join(lines, "\n"))
	}
	if n := l.rows(); n > 0 {
		lines = append(lines, fmt.Sprintf("%d tasks are kept", n))
	}
	if w.State != nil {
		lines = append(lines, w.State(t, l))
	}
	return strings.Join(lines, "\n")
}

// copied is a copy of a directory; secrets in it stay for their owner alone.
func copied(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
