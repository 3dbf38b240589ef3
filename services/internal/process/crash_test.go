package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/events"
	"hubledger/services/internal/operations"
)

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
