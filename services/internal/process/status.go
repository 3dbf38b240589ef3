package process

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"hubledger/services/internal/operations"
)

// Status is what a manager is at. What it says of tasks that are due is as of
// the last look, and 0 where the manager is not led.
type Status struct {
	Name    string
	Leading bool   // this node runs it
	Paused  string // why it does nothing, such as that the log is read-only; "" when it does
	Due     int    // tasks, at most MaxDue, without dead letters
	Waiting int    // of those, that have failed and wait for their next attempt
	Running int    // of those, that are being done
	Dead    int    // dead letters; the same on every node
	// LastError is the latest thing that went wrong, at LastErrorAt; "" for none.
	LastError   string
	LastErrorAt time.Time
}

// Name is the manager's.
func (r *Runner) Name() string { return r.m.Name }

// Status tells what the manager is at.
func (r *Runner) Status(ctx context.Context) (Status, error) {
	dead, err := r.countDead(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.Running, s.Dead = len(r.running), dead
	if why := r.Log.ReadOnly(); why != nil {
		s.Paused = ErrorText(why)
	}
	return s, err
}

// A DeadLetter is a task that failed too often. It is not tried again until
// Retry, and forgotten when it is no longer due.
type DeadLetter struct {
	Task
	Attempts int
	Since    time.Time
	Error    string // of the last attempt
}

// DeadLetters lists the manager's dead letters, oldest first.
func (r *Runner) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	rows, err := r.rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	var list []DeadLetter
	for _, t := range rows {
		if !t.dead.IsZero() {
			list = append(list, DeadLetter{t.Task, t.attempts, t.dead, t.err})
		}
	}
	slices.SortFunc(list, func(a, b DeadLetter) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key)) })
	return list, nil
}

// ErrNotDead: there is no dead letter of that key.
var ErrNotDead = errors.New("there is no such dead letter")

// Retry lets a dead letter be tried as often as a new task: at once where this
// node leads the manager, else when the node that does looks again. ErrNotDead.
func (r *Runner) Retry(ctx context.Context, key string) error {
	var n int64
	err := r.Store.Change(ctx, operations.NoLock, func(t *operations.Tx) (err error) {
		n, err = t.Exec(`UPDATE tasks SET dead = 0, attempts = 0, next = 0 WHERE manager = $1 AND task = $2 AND dead <> 0`, r.m.Name, key)
		return err
	})
	if err != nil {
		return fmt.Errorf("try a dead letter again: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", key, ErrNotDead)
	}
	r.wakeUp()
	return nil
}

func (r *Runner) countDead(ctx context.Context) (n int, err error) {
	err = r.Store.Query(ctx, func(rows *sql.Rows) error { return rows.Scan(&n) },
		`SELECT COUNT(*) FROM tasks WHERE manager = $1 AND dead <> 0`, r.m.Name)
	return n, err
}

func (r *Runner) note(change func(s *Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.status)
}

// failed logs what went wrong, and keeps it for the status.
func (r *Runner) failed(err error) {
	text := ErrorText(err)
	r.Logger.Warn("a process manager failed", "error", text)
	r.note(func(s *Status) { s.LastError, s.LastErrorAt = text, time.Now().UTC() })
}
