package process

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
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
