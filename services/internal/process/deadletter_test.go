package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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

// A manager that gives a task up completes it by another event, after the last attempt
// and with its error; when that fails, too, it is a dead letter.
func TestGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, gaveUp := 0, 0
		w := newWorld(t, func(context.Context, Task) error {
			tries++
			return errors.New("the host says no to token=planted")
		}, func(_ *Config, m *Manager) {
			m.GiveUp = func(_ context.Context, task Task, why string) (*Completion, error) {
				gaveUp++
				if task.Key == "worse" {
					return nil, errors.New("not even that")
				}
				if tries != 5 || !strings.Contains(why, "the host says no") || strings.Contains(why, "planted") {
					t.Errorf("given up after %d attempts: %s", tries, why)
				}
				return &Completion{Event: starred("nobody")}, nil
			}
		})
		w.todo.add(Task{Key: "bad"})
		start(t, w.Runner)
		later(time.Hour)
		w.wantStatus(t, 0, 0, 0, 0)
		if gaveUp != 1 || len(w.log.ids()) != 1 || countRows(t, w.Store) != 0 {
			t.Errorf("given up %d times, events %q", gaveUp, w.log.ids())
		}
		w.todo.add(Task{Key: "worse"})
		later(2 * time.Hour)
		w.wantStatus(t, 0, 0, 0, 1)
	})
}

// What failed and is tried again is known with its error.
func TestTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ context.Context, task Task) error {
			if task.Key == "a/good" {
				return nil
			}
			return errors.New("no")
		}, nil)
		w.todo.add(Task{Key: "a/good"}, Task{Key: "a/bad"}, Task{Key: "b/bad"})
		start(t, w.Runner)
		later(1100 * time.Millisecond)
		got, err := Tries(t.Context(), w.Store, "star-giver", "a/")
		check(t, err)
		if try := got["a/bad"]; len(got) != 1 || try.Attempts != 2 || try.Error != "no" || !try.Next.After(time.Now()) {
			t.Errorf("%+v", got)
		}
	})
}
