package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/events"
	"hubledger/services/internal/operations"
)

// A world is a manager on a list of tasks, in a bubble of synthetic time.
type world struct {
	*Runner
	log  *memoryLog
	todo *todo
}

// newWorld makes a manager whose tasks are completed by a star of the user that
// the key names; do is what comes before.
func newWorld(t testing.TB, do func(ctx context.Context, t Task) error, change func(*Config, *Manager)) *world {
	t.Helper()
	w := &world{log: &memoryLog{}, todo: &todo{}}
	c := Config{Store: store(t), Log: w.log, Logger: quiet}
	m := Manager{Name: "star-giver", Source: "/test", Backoff: Backoff{First: time.Second, Max: 8 * time.Second, Attempts: 5},
		Due: func(context.Context, time.Time) ([]Task, error) { return w.todo.list(), nil },
		Do: func(ctx context.Context, t Task) (*Completion, error) {
			if do != nil {
				if err := do(ctx, t); err != nil {
					return nil, err
				}
			}
			return &Completion{Event: starred("everybody")}, nil
		},
		Done: func(_ context.Context, t Task) error { w.todo.remove(t); return nil }}
	if change != nil {
		change(&c, &m)
	}
	var err error
	w.Runner, err = New(t.Context(), c, m)
	check(t, err)
	return w
}

func (w *world) wantStatus(t testing.TB, due, waiting, running, dead int) {
	t.Helper()
	s, err := w.Status(t.Context())
	check(t, err)
	if s.Due != due || s.Waiting != waiting || s.Running != running || s.Dead != dead {
		t.Errorf("%+v, want due %d, waiting %d, running %d, dead %d", s, due, waiting, running, dead)
	}
}

// later lets time pass for the manager.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTasksAreDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, nil)
		w.todo.add(Task{Key: "a"}, Task{Key: "b", Cause: "0199d6a5-3c00-7000-8000-000000000120"})
		start(t, w.Runner)
		later(time.Hour)
		if len(w.log.ids()) != 2 || len(w.todo.list()) != 0 || countRows(t, w.Store) != 0 {
			t.Errorf("events %q, left %v, %d rows", w.log.ids(), w.todo.list(), countRows(t, w.Store))
		}
		e := w.log.events[1]
		if e.ID() != EventID("star-giver", Task{Key: "b", Cause: e.Cause()}) || e.Cause() == "" || e.Correlation() != e.Cause() || e.Source() != "/test" {
			t.Errorf("completed by %+v", e)
		}
		w.wantStatus(t, 0, 0, 0, 0)
		w.todo.add(Task{Key: "c"})
		later(time.Minute) // the manager looks by itself
		if len(w.log.ids()) != 3 {
			t.Error("what became due later was not done")
		}
	})
}

// A task that fails is tried after growing pauses, kept as a dead letter with
// its error, and done after Retry. Others do not wait for it.
func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, broken := time.Now(), true
		var tries []time.Duration
		w := newWorld(t, func(_ context.Context, task Task) error {
			if task.Key != "bad" {
				return nil
			}
			tries = append(tries, time.Since(begin))
			if broken {
				return errors.New("the receiver says no to token=planted")
			}
			return nil
		}, nil)
		w.todo.add(Task{Key: "bad"}, Task{Key: "good"})
		start(t, w.Runner)
		later(time.Millisecond)
		w.wantStatus(t, 1, 1, 0, 0)
		later(time.Hour)
		if len(tries) != 5 || len(w.log.ids()) != 1 {
			t.Fatalf("tried at %v, events %q", tries, w.log.ids())
		}
		for i, limit := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			if pause := tries[i+1] - tries[i]; pause > limit || pause < limit/2 {
				t.Errorf("pause %d is %v, not from %v to %v", i, pause, limit/2, limit)
			}
		}
		w.wantStatus(t, 0, 0, 0, 1)
		dead, err := w.DeadLetters(t.Context())
		check(t, err)
		if len(dead) != 1 || dead[0].Key != "bad" || dead[0].Attempts != 5 || dead[0].Since.IsZero() ||
			!strings.Contains(dead[0].Error, "says no") || strings.Contains(dead[0].Error, "planted") {
			t.Errorf("dead letters: %+v", dead)
		}
		if err := w.Retry(t.Context(), "good"); !errors.Is(err, ErrNotDead) {
			t.Errorf("retried what is not dead: %v", err)
		}
		broken = false
		check(t, w.Retry(t.Context(), "bad"))
		later(time.Millisecond)
		w.wantStatus(t, 0, 0, 0, 0)
		if len(w.log.ids()) != 2 || countRows(t, w.Store) != 0 {
			t.Errorf("after the retry: events %q, %d rows", w.log.ids(), countRows(t, w.Store))
		}
	})
}

// What was tried in vain and is no longer due is forgotten, dead or not.
func TestNoLongerDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(context.Context, Task) error { return errors.New("no") }, nil)
		w.todo.add(Task{Key: "a"})
		start(t, w.Runner)
		later(time.Hour)
		w.wantStatus(t, 0, 0, 0, 1)
		w.todo.remove(Task{Key: "a"})
		later(time.Minute)
		w.wantStatus(t, 0, 0, 0, 0)
	})
}

// Dead letters are bounded: beyond that, tasks go on being tried.
func TestDeadLettersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(context.Context, Task) error { return errors.New("no") },
			func(_ *Config, m *Manager) { m.Backoff = Backoff{First: time.Hour, Max: time.Hour, Attempts: 1} })
		for i := range MaxDead + 3 {
			w.todo.add(Task{Key: fmt.Sprint(i)})
		}
		start(t, w.Runner)
		later(time.Minute)
		w.wantStatus(t, 3, 3, 0, MaxDead)
	})
}

// While the log is read-only nothing is tried, also when that begins in the
// middle of a task; afterwards the manager goes on as if nothing had been.
func TestReadOnlyLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		var tries atomic.Int64
		readOnly := fmt.Errorf("%w: the disk lies", events.ErrReadOnly)
		w = newWorld(t, func(_ context.Context, task Task) error {
			if tries.Add(1) == 1 {
				w.log.setReadOnly(readOnly)
			}
			return nil
		}, nil)
		w.todo.add(Task{Key: "a"}, Task{Key: "b"})
		start(t, w.Runner)
		later(time.Hour)
		s, err := w.Status(t.Context())
		check(t, err)
		if tries.Load() > 2 || len(w.log.ids()) != 0 || s.Dead != 0 || !strings.Contains(s.Paused, "the disk lies") {
			t.Fatalf("%d tries, events %q, %+v", tries.Load(), w.log.ids(), s)
		}
		rows, err := w.rows(t.Context())
		check(t, err)
		for _, row := range rows {
			if row.attempts != 0 {
				t.Errorf("%d attempts at %s are counted", row.attempts, row.Key)
			}
		}
		w.log.setReadOnly(nil)
		later(time.Minute)
		w.wantStatus(t, 0, 0, 0, 0)
		if len(w.log.ids()) != 2 {
			t.Errorf("events %q", w.log.ids())
		}
	})
}

// An append whose answer was lost is found again, also when another event of
// the subject came after it.
func TestLostAnswer(t *testing.T) {
	for _, persists := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			lost := true
			w.log.append = func(next func() (uint64, error)) (uint64, error) {
				if !lost {
					return next()
				}
				lost = false
				if persists {
					next()
				}
				other, err := events.New(starred("everybody"), events.Meta{ID: "another", Source: "/test"})
				check(t, err)
				w.log.store(other, events.AnySeq)
				return 0, events.ErrUncertain
			}
			w.todo.add(Task{Key: "a"})
			start(t, w.Runner)
			later(time.Hour)
			want := []string{"another", EventID("star-giver", Task{Key: "a"})}
			if persists {
				slices.Reverse(want)
			}
			if got := w.log.ids(); !slices.Equal(got, want) || countRows(t, w.Store) != 0 {
				t.Errorf("events %q, want %q; %d rows", got, want, countRows(t, w.Store))
			}
		})
	}
}

// No more tasks run at once than allowed, and none twice.
func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		done := &sync.Map{}
		w := newWorld(t, func(_ context.Context, task Task) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			if _, again := done.LoadOrStore(task.Key, true); again {
				t.Errorf("%s was done twice", task.Key)
			}
			time.Sleep(10 * time.Minute) // longer than the manager waits between two looks
			return nil
		}, func(_ *Config, m *Manager) { m.Parallel = 3 })
		for i := range 7 {
			w.todo.add(Task{Key: fmt.Sprint(i)})
		}
		start(t, w.Runner)
		later(5 * time.Minute)
		w.wantStatus(t, 7, 0, 3, 0)
		later(time.Hour)
		if most.Load() != 3 || len(w.log.ids()) != 7 {
			t.Errorf("%d at once, %d events", most.Load(), len(w.log.ids()))
		}
	})
}

// A task that is interrupted by the end is no failed attempt, and Run returns
// when it has ended.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		w := newWorld(t, func(ctx context.Context, task Task) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return ctx.Err()
		}, nil)
		w.todo.add(Task{Key: "a"})
		stop := start(t, w.Runner)
		later(time.Minute)
		stop()
		if !ended {
			t.Error("it returned before its task")
		}
		rows, err := w.rows(t.Context())
		check(t, err)
		if row := rows["a"]; row.attempts != 0 || row.err != "" || row.next.After(time.Now()) {
			t.Errorf("%+v", row)
		}
	})
}

// A task that does not end when it is told to holds the end up for a bounded time.
func TestStopOfATaskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := newWorld(t, func(context.Context, Task) error { <-release; return nil }, nil)
		w.todo.add(Task{Key: "a"})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		later(time.Minute)
		cancel()
		if err := <-ended; err == nil {
			t.Error("it says that all has ended")
		}
		close(release)
		synctest.Wait()
	})
}

func TestPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(context.Context, Task) error { panic("planted") }, nil)
		w.todo.add(Task{Key: "a"})
		start(t, w.Runner)
		later(time.Hour)
		w.wantStatus(t, 0, 0, 0, 1)
	})
}

// A failing look is repeated.
func TestDueFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		fails.Store(true)
		w := newWorld(t, nil, func(_ *Config, m *Manager) {
			due := m.Due
			m.Due = func(ctx context.Context, now time.Time) ([]Task, error) {
				if fails.Load() {
					return nil, errors.New("the read model is away")
				}
				return due(ctx, now)
			}
		})
		w.todo.add(Task{Key: "a"})
		start(t, w.Runner)
		later(time.Minute)
		s, err := w.Status(t.Context())
		check(t, err)
		if !strings.Contains(s.LastError, "away") || s.LastErrorAt.IsZero() || !s.Leading {
			t.Errorf("%+v", s)
		}
		fails.Store(false)
		later(time.Minute)
		if len(w.log.ids()) != 1 {
			t.Error("it does not go on")
		}
	})
}

// A token is the lead that two runners share.
type token chan struct{}

func (l token) Run(ctx context.Context, name string, lead func(context.Context) error) error {
	select {
	case l <- struct{}{}:
		defer func() { <-l }()
		return lead(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Of two nodes one leads, and the other one goes on when it ends.
func TestLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lead := make(token, 1)
		a := newWorld(t, nil, func(c *Config, _ *Manager) { c.Lead = lead })
		b := newWorld(t, nil, func(c *Config, m *Manager) {
			c.Lead, c.Store, c.Log = lead, a.Store, a.log
			m.Due, m.Done = a.m.Due, a.m.Done
		})
		stop := start(t, a.Runner)
		later(time.Millisecond)
		start(t, b.Runner)
		later(time.Minute)
		for r, want := range map[*Runner]bool{a.Runner: true, b.Runner: false} {
			if s, err := r.Status(t.Context()); err != nil || s.Leading != want {
				t.Errorf("%+v, %v", s, err)
			}
		}
		stop()
		a.todo.add(Task{Key: "a"})
		later(time.Minute)
		if s, err := b.Status(t.Context()); err != nil || !s.Leading || len(a.log.ids()) != 1 {
			t.Errorf("%+v, %v, events %q", s, err, a.log.ids())
		}
	})
}

// A kill right after the append, and another event of the subject before the
// next start: the task's event is found by what its append expected.
func TestKilledAfterTheAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		killed := errors.New("killed")
		file := operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)}
		log, list := &memoryLog{}, &todo{}
		life := func(c operations.Config) (*Runner, func()) {
			s, err := operations.Open(t.Context(), c)
			check(t, err)
			w := newWorld(t, nil, func(c *Config, m *Manager) {
				c.Store, c.Log = s, log
				m.Due = func(context.Context, time.Time) ([]Task, error) { return list.list(), nil }
				m.Done = func(_ context.Context, t Task) error { list.remove(t); return nil }
			})
			return w.Runner, func() { check(t, s.Close()) }
		}
		list.add(Task{Key: "a"})
		mortal := file
		mortal.Around = func(_ context.Context, commit func() error) error {
			if dead.Load() {
				return killed
			}
			return commit()
		}
		first, end := life(mortal)
		log.append = func(next func() (uint64, error)) (uint64, error) {
			next()
			dead.Store(true)
			return 0, killed
		}
		stop := start(t, first)
		later(time.Millisecond)
		stop()
		end()
		log.append = nil
		other, err := events.New(starred("everybody"), events.Meta{ID: "another", Source: "/test"})
		check(t, err)
		log.store(other, events.AnySeq)
		second, end := life(file)
		stop = start(t, second)
		later(time.Hour)
		stop()
		defer end()
		want := []string{EventID("star-giver", Task{Key: "a"}), "another"}
		if got := log.ids(); !slices.Equal(got, want) || countRows(t, second.Store) != 0 || len(list.list()) != 0 {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}
