package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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

// A node that does not lead any more knows of no tasks: another one may have done them.
func TestStatusAfterTheLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(context.Context, Task) error { return errors.New("not now") }, nil)
		w.todo.add(Task{Key: "a"})
		stop := start(t, w.Runner)
		later(100 * time.Millisecond)
		w.wantStatus(t, 1, 1, 0, 0)
		stop()
		w.wantStatus(t, 0, 0, 0, 0)
	})
}
