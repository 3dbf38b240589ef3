package process

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/operations"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A memoryLog is a log in memory, with the expectations of the real one.
type memoryLog struct {
	mu       sync.Mutex
	events   []events.Event
	readOnly error
	// append, when not nil, stands before every append: it may fail instead,
	// or after it.
	append func(next func() (uint64, error)) (uint64, error)
}

func (l *memoryLog) Append(_ context.Context, e events.Event, expect uint64) (uint64, error) {
	next := func() (uint64, error) { return l.store(e, expect) }
	if l.append != nil {
		return l.append(next)
	}
	return next()
}

func (l *memoryLog) store(e events.Event, expect uint64) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readOnly != nil {
		return 0, l.readOnly
	}
	for _, was := range l.events {
		if was.Subject == e.Subject && was.Seq > expect && expect != events.AnySeq {
			if was.ID() == e.ID() {
				return was.Seq, nil
			}
			return 0, fmt.Errorf("%w: event %d followed", events.ErrConflict, was.Seq)
		}
	}
	e.Seq = uint64(len(l.events) + 1)
	l.events = append(l.events, e)
	return e.Seq, nil
}

func (l *memoryLog) Last(_ context.Context, subject string) (*events.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.events) {
		if e.Subject == subject {
			return &e, nil
		}
	}
	return nil, nil
}

func (l *memoryLog) ReadOnly() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readOnly
}

func (l *memoryLog) setReadOnly(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readOnly = err
}

func (l *memoryLog) ids() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		ids = append(ids, e.ID())
	}
	return ids
}

// starred is what the tests' managers complete their tasks by.
func starred(user string) events.StarGiven {
	return events.StarGiven{Namespace: "n", Repository: "r", User: user}
}

// store opens an operational store that ends with the test.
func store(t testing.TB) *operations.Store {
	t.Helper()
	s, err := operations.Open(t.Context(), operations.Config{File: filepath.Join(t.TempDir(), operations.FileName)})
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// A todo is a list of due tasks.
type todo struct {
	mu    sync.Mutex
	tasks []Task
}

func (l *todo) add(tasks ...Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks = append(l.tasks, tasks...)
}

func (l *todo) remove(t Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks = slices.DeleteFunc(l.tasks, func(u Task) bool { return u == t })
}

func (l *todo) list() []Task {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.tasks)
}

// start runs a manager until the test ends.
func start(t testing.TB, r *Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func countRows(t testing.TB, s *operations.Store) (n int) {
	t.Helper()
	check(t, s.Query(t.Context(), func(rows *sql.Rows) error { return rows.Scan(&n) }, `SELECT COUNT(*) FROM tasks`))
	return n
}
