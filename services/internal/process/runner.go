package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"hubledger/events"
	"hubledger/services/internal/operations"
)

// Log is the log, as managers append to it.
type Log interface {
	// Append stores an event and returns its sequence; see package streams.
	Append(ctx context.Context, e events.Event, expect uint64) (uint64, error)
	// Last is the subject's latest event, nil when there is none.
	Last(ctx context.Context, subject string) (*events.Event, error)
	// ReadOnly is why nothing is appended, nil when the log is writable.
	ReadOnly() error
}

// Lead lets one node at a time run something.
type Lead interface {
	// Run calls lead when this node leads under that name, with a context that
	// ends when it does not any more. It returns lead's error or that of ctx.
	Run(ctx context.Context, name string, lead func(ctx context.Context) error) error
}

// Config is what managers run on.
type Config struct {
	Store *operations.Store
	Log   Log
	// Lead chooses the node that runs a manager. Nil: this process always does.
	Lead Lead
	// Subscribe makes the subscriber to events by which a manager is woken. Nil:
	// it is not woken, and only looks by itself.
	Subscribe func(name string, types []string, inFlight int) (message.Subscriber, error)
	Logger    *slog.Logger // nil: slog.Default
}

// A Runner runs one manager.
type Runner struct {
	Config
	m    Manager
	wake chan struct{} // something may have become due
	jobs sync.WaitGroup

	kept atomic.Int64 // rises when a row may have been added
	none atomic.Int64 // what kept was when there were no rows

	passing sync.Mutex // held while tasks are chosen
	mu      sync.Mutex
	running map[string]struct{} // keys
	ended   chan struct{}       // closed and replaced when a task ends
	status  Status
}

// New prepares the manager's rows. Nothing runs until Run.
func New(ctx context.Context, c Config, m Manager) (*Runner, error) {
	m, err := m.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := c.Store.Define(ctx, schema); err != nil {
		return nil, fmt.Errorf("prepare process manager %s: %w", m.Name, err)
	}
	c.Logger = cmp.Or(c.Logger, slog.Default()).With("manager", m.Name)
	r := &Runner{Config: c, m: m, wake: make(chan struct{}, 1), running: map[string]struct{}{},
		ended: make(chan struct{}), status: Status{Name: m.Name}}
	r.none.Store(-1)
	return r, nil
}

// How long to wait before the lead is sought again, before a read-only log is
// looked at again, before a pass that failed is repeated, and for tasks to end.
const (
	leadAgain   = time.Second
	pausedEvery = time.Second
	passAgain   = 5 * time.Second
	stopWithin  = 30 * time.Second
)

// Run runs the manager whenever this node leads it, until ctx ends and every
// task that was begun has ended, or half a minute later. While the log is
// read-only nothing is done, and nothing counts as an attempt.
func (r *Runner) Run(ctx context.Context) error {
	lead := r.Lead
	if lead == nil {
		lead = always{}
	}
	for {
		err := lead.Run(ctx, "process/"+r.m.Name, r.lead)
		if ctx.Err() != nil {
			return r.awaitJobs()
		}
		if err != nil {
			r.failed(fmt.Errorf("lead the process manager: %w", err))
		}
		if sleep(ctx, leadAgain) != nil {
			return r.awaitJobs()
		}
	}
}

// always is the lead of a process that has no others beside it.
type always struct{}

func (always) Run(ctx context.Context, _ string, lead func(ctx context.Context) error) error {
	return lead(ctx)
}

// lead runs the manager while this node leads it.
func (r *Runner) lead(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.awaitWritable(ctx); err != nil {
		return err
	}
	router, err := r.route(ctx)
	if err != nil {
		return err
	}
	r.kept.Add(1) // whoever led before may have left rows
	r.note(func(s *Status) { s.Leading = true })
	// What the last look found goes with the lead: another node knows better.
	defer r.note(func(s *Status) { s.Leading, s.Due, s.Waiting = false, 0, 0 })
	for ctx.Err() == nil {
		pause := passAgain
		if err := r.awaitWritable(ctx); err != nil {
			break
		}
		p, err := r.pass(ctx)
		if err == nil {
			pause = max(min(r.m.Every, time.Until(p.next)), 0)
		} else if ctx.Err() == nil {
			r.failed(err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
			r.kept.Add(1)
		case <-r.wake:
		case <-r.m.Woken:
		case err := <-router:
			cancel()
			return errors.Join(err, r.awaitJobs())
		}
		timer.Stop()
	}
	return errors.Join(r.awaitRouter(router), r.awaitJobs())
}

// awaitWritable returns when the log takes events, or with ctx.
func (r *Runner) awaitWritable(ctx context.Context) error {
	for {
		if r.Log.ReadOnly() == nil {
			return ctx.Err()
		}
		if err := sleep(ctx, pausedEvery); err != nil {
			return err
		}
	}
}

// awaitJobs waits, bounded, for the tasks that were begun.
func (r *Runner) awaitJobs() error {
	ended := make(chan struct{})
	go func() { r.jobs.Wait(); close(ended) }()
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("process manager %s: tasks go on %v after they were told to end", r.m.Name, stopWithin)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
