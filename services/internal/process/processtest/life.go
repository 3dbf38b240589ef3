package processtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/events"
	"hubledger/services/internal/operations"
	"hubledger/streams"
	"hubledger/streams/messages"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A Life is one life of the program, from its start to its end or kill, on what
// the lives before it left in a directory.
type Life struct {
	Dir   string
	Log   Log
	Store *operations.Store

	t      testing.TB
	faults *faults
	slow   time.Duration // before each step
	ends   []func()
}

// Log is the life's log, whose appends are steps.
type Log struct {
	*streams.Log
	life *Life
}

// Append is that of the log, as a step.
func (l Log) Append(ctx context.Context, e events.Event, expect uint64) (seq uint64, err error) {
	err = l.life.Step(func() (err error) {
		seq, err = l.Log.Append(ctx, e, expect)
		return err
	})
	return seq, err
}

// Step makes an effect of the manager one of its steps.
func (l *Life) Step(effect func() error) error {
	time.Sleep(l.slow)
	return l.faults.step(effect)
}

// Cleanup calls end when the life ends, the last one first.
func (l *Life) Cleanup(end func()) { l.ends = append(l.ends, end) }

// Alive is a life that nothing kills, on a directory of its own, for tests of what a manager
// is made of. It ends with the test.
func Alive(t testing.TB) *Life {
	l := open(t, t.TempDir(), nil)
	t.Cleanup(l.close)
	return l
}

func open(t testing.TB, dir string, f *faults) *Life {
	t.Helper()
	ctx := context.Background()
	l := &Life{Dir: dir, t: t, faults: f}
	log, err := streams.Open(ctx, streams.Config{Dir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	l.Log = Log{log, l}
	l.Cleanup(func() {
		if err := log.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	l.Store, err = operations.Open(ctx, operations.Config{File: filepath.Join(dir, operations.FileName),
		Around: func(_ context.Context, commit func() error) error { return l.Step(commit) }})
	if err != nil {
		l.close()
		t.Fatal(err)
	}
	l.Cleanup(func() {
		if err := l.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *Life) close() {
	for _, end := range slices.Backward(l.ends) {
		end()
	}
}

func (l *Life) subscribe() func(string, []string, int) (message.Subscriber, error) {
	return messages.Source{Log: l.Log.Log, Logger: quiet}.Subscriber
}

// rows counts what is kept of tasks.
func (l *Life) rows() (n int) {
	err := l.Store.Query(context.Background(), func(rows *sql.Rows) error { return rows.Scan(&n) }, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'tasks'`)
	if err == nil && n > 0 {
		err = l.Store.Query(context.Background(), func(rows *sql.Rows) error { return rows.Scan(&n) }, `SELECT COUNT(*) FROM tasks`)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// events are one line for each event of the log, without when it came, and
// without its id when each life makes new ones.
func (l *Life) events(newIDs bool) (lines []string) {
	ctx := context.Background()
	last, err := l.Log.LastSeq(ctx)
	for seq := uint64(1); seq <= last && err == nil; seq++ {
		var e *events.Event
		if e, err = l.Log.Get(ctx, seq); err == nil {
			id := e.ID()
			if newIDs {
				id = "event"
			}
			lines = append(lines, fmt.Sprintf("%s %s on %s, caused by %q: %s", e.Type(), id, e.Subject, e.Cause(), e.Data))
		}
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return lines
}
