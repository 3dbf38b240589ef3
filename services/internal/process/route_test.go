package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/events"
	"hubledger/projections/pgtest"
	"hubledger/services/internal/operations"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// A feed is a subscriber that delivers what a test sends.
type feed chan *message.Message

func (f feed) subscribe(string, []string, int) (message.Subscriber, error) { return f, nil }

func (f feed) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		for {
			select {
			case m := <-f:
				m.SetContext(ctx)
				out <- m
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func (feed) Close() error { return nil }

// send delivers the event of that sequence.
func (f feed) send(seq uint64) *message.Message {
	m := message.NewMessage(fmt.Sprint("event ", seq), nil)
	m.Metadata[metaSequence] = fmt.Sprint(seq)
	f <- m
	return m
}

// became says what became of a message by now.
func became(m *message.Message) string {
	synctest.Wait()
	select {
	case <-m.Acked():
		return "acknowledged"
	case <-m.Nacked():
		return "refused"
	default:
		return "waiting"
	}
}

// A view is at a sequence.
type view struct{ at atomic.Uint64 }

func (v *view) Wait(ctx context.Context, seq uint64) error {
	for v.at.Load() < seq {
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// An event is acknowledged after the view has it and the work is done, and not
// while the log is read-only.
func TestEventsWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, v := make(feed), &view{}
		w := newWorld(t, func(context.Context, Task) error { time.Sleep(time.Minute); return nil },
			func(c *Config, m *Manager) {
				c.Subscribe, m.Wakes, m.Every, m.View = f.subscribe, []string{"user.erased.v1"}, 24*time.Hour, v
			})
		start(t, w.Runner)
		later(time.Second)
		m := f.send(7)
		if got := became(m); got != "waiting" {
			t.Fatalf("the event is %s before the view has it", got)
		}
		w.todo.add(Task{Key: "a"})
		v.at.Store(7)
		later(30 * time.Second)
		if got := became(m); got != "waiting" {
			t.Fatalf("the event is %s before the work is done", got)
		}
		later(time.Minute)
		if got := became(m); got != "acknowledged" || len(w.log.ids()) != 1 {
			t.Fatalf("the event is %s, in the log are %q", got, w.log.ids())
		}
		w.log.setReadOnly(events.ErrReadOnly)
		w.todo.add(Task{Key: "b"})
		m = f.send(7)
		later(time.Hour)
		if got := became(m); got != "waiting" {
			t.Fatalf("the event is %s while the log is read-only", got)
		}
		w.log.setReadOnly(nil)
		later(2 * time.Minute)
		if got := became(m); got != "acknowledged" || len(w.log.ids()) != 2 {
			t.Errorf("the event is %s, in the log are %q", got, w.log.ids())
		}
	})
}

// What has failed is kept to be tried again: its event need not come again, and
// holds up no other.
func TestEventOfATaskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := make(feed)
		var broken atomic.Bool
		broken.Store(true)
		w := newWorld(t, func(context.Context, Task) error {
			if broken.Load() {
				return errors.New("not now")
			}
			return nil
		}, func(c *Config, m *Manager) {
			c.Subscribe, m.Wakes, m.Every = f.subscribe, []string{"user.erased.v1"}, 24*time.Hour
			m.Backoff = Backoff{First: time.Minute}
		})
		start(t, w.Runner)
		later(time.Second)
		w.todo.add(Task{Key: "a"})
		if got := became(f.send(1)); got != "acknowledged" {
			t.Errorf("the event is %s", got)
		}
		w.wantStatus(t, 1, 1, 0, 0)
		broken.Store(false)
		later(2 * time.Minute)
		w.wantStatus(t, 0, 0, 0, 0)
		if len(w.log.ids()) != 1 {
			t.Errorf("in the log are %q", w.log.ids())
		}
	})
}

// What cannot be kept must come again.
func TestEventComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := make(feed)
		var fails atomic.Bool
		w := newWorld(t, nil, func(c *Config, m *Manager) {
			c.Subscribe, m.Wakes = f.subscribe, []string{"user.erased.v1"}
			due := m.Due
			m.Due = func(ctx context.Context, now time.Time) ([]Task, error) {
				if fails.Load() {
					return nil, errors.New("the read model is away")
				}
				return due(ctx, now)
			}
		})
		start(t, w.Runner)
		later(time.Second)
		fails.Store(true)
		if got := became(f.send(1)); got != "refused" {
			t.Errorf("the event is %s", got)
		}
		fails.Store(false)
		if got := became(f.send(1)); got != "acknowledged" {
			t.Errorf("the event is %s", got)
		}
	})
}

// What is kept of tasks is the same in both kinds of stores, and after a restart.
func TestRows(t *testing.T) {
	for name, c := range map[string]operations.Config{
		"sqlite":   {File: filepath.Join(t.TempDir(), operations.FileName)},
		"postgres": {PostgresURL: postgres.URL(t)},
	} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
			want := []row{
				{Task: Task{Key: "new", Cause: "c", Correlation: "d"}, attempts: 1, next: at, expect: noExpectation},
				{Task: Task{Key: "half"}, attempts: 2, next: at, expect: 1 << 40, done: 1 << 41, err: "no\uFFFD"},
				{Task: Task{Key: "dead"}, attempts: 12, next: at, expect: 0, dead: at, err: "never"},
			}
			open := func(manager string) *Runner {
				s, err := operations.Open(t.Context(), c)
				check(t, err)
				r, err := New(t.Context(), Config{Store: s, Log: &memoryLog{}, Logger: quiet}, Manager{Name: manager, Source: "/test",
					Due: func(context.Context, time.Time) ([]Task, error) { return nil, nil },
					Do:  func(context.Context, Task) (*Completion, error) { return nil, nil }})
				check(t, err)
				return r
			}
			r, other := open("one"), open("other")
			for _, row := range want {
				check(t, r.keep(t.Context(), row))
				row.attempts--
				check(t, r.keep(t.Context(), row))
			}
			check(t, other.keep(t.Context(), newRow(Task{Key: "new"})))
			check(t, r.Store.Close())
			r = open("one")
			got, err := r.rows(t.Context())
			check(t, err)
			if len(got) != len(want) {
				t.Errorf("kept: %+v", got)
			}
			for _, row := range want {
				row.attempts--
				if got[row.Key] != row {
					t.Errorf("kept: %+v, want %+v", got[row.Key], row)
				}
			}
			check(t, r.Retry(t.Context(), "dead"))
			check(t, r.forget(t.Context(), "new"))
			if n, err := r.countDead(t.Context()); err != nil || n != 0 {
				t.Errorf("%d dead letters, %v", n, err)
			}
			if rows, err := other.rows(t.Context()); err != nil || len(rows) != 1 {
				t.Errorf("another manager's rows: %+v, %v", rows, err)
			}
			check(t, errors.Join(r.Store.Close(), other.Store.Close()))
		})
	}
}
