// Package process runs process managers: what follows from an event and has
// effects outside of the log, such as a build, a deploy or a delivery.
//
// A Manager says what is due, by a read model or a cursor, and does one task of
// it: the effect first, then one event that completes the task. The event's id
// is derived from the task and the sequence that it expects is noted before the
// append, so that a crash anywhere, followed by another run, ends in the same
// log. What failed is tried again later, and after so many attempts it is kept
// as a dead letter; both are rows of the operational store. One node leads a
// manager. Events wake it as messages of Watermill's router.
//
// Package processtest kills a manager at each of its steps.
package process

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"hubledger/events"
)

// A Manager is one process manager. It is a value without a state of its own:
// everything that has to survive is in the log, a read model or a store.
type Manager struct {
	// Name names its rows, its consumer and its lead, and the ids of its events
	// derive from it: lower-case letters, digits and "-". It never changes.
	Name string
	// Source is who its events say decided, such as "/registry/pulls".
	Source string
	// Wakes are the types of events after which something may be due. Their
	// messages are acknowledged when all that was due then has been tried. What
	// came before the manager first ran is found by a look of its own.
	Wakes []string
	// Woken has an element when something else than a message of these events may have made
	// something due: what is no event, or a commit of a read model, which costs less than
	// messages where there are many events. Nil: nothing has.
	Woken <-chan struct{}
	// Every is how often it looks by itself. Default 1 minute.
	Every time.Duration
	// Parallel is how many tasks may be done at once. Default 1.
	Parallel int
	// Backoff says when a task that failed is tried again.
	Backoff Backoff
	// View is the read model that Due reads. Nil: Due does not read one.
	View View

	// Due lists what is to be done, most urgent first; of more than MaxDue
	// tasks the first ones count. A task stays due until it was done.
	Due func(ctx context.Context, now time.Time) ([]Task, error)
	// Do does one task. It may have been done before, wholly or in part: doing
	// it again must end in the same state. It returns the event that completes
	// the task, or nil when the effect alone makes it no longer due. An error
	// has no secrets in it: people read it.
	Do func(ctx context.Context, t Task) (*Completion, error)
	// GiveUp, when not nil, is asked after the last attempt failed, and why in one line:
	// it returns the event that completes the task in another way. An error of it
	// leaves a dead letter.
	GiveUp func(ctx context.Context, t Task, why string) (*Completion, error)
	// Done, when not nil, is called after the completing event is in the log
	// and makes the task no longer due, where that is not the view's business.
	// It may be called again.
	Done func(ctx context.Context, t Task) error
}

// A Task is one thing that is due.
type Task struct {
	// Key tells the manager's tasks apart; at most MaxKey bytes.
	Key string
	// Cause is the id of the event that made it due, "" for none.
	Cause string
	// Correlation is the id of the first event of that chain, "" when Cause is it.
	Correlation string
}

// A Completion is the event that completes a task.
type Completion struct {
	Event events.Payload
	// ID is the event's id where it was given before; empty: EventID's.
	ID string
}

// A View is a read model as it runs.
type View interface {
	// Wait returns when the read model has committed the event of that sequence.
	Wait(ctx context.Context, seq uint64) error
}

// Bounds of one manager.
const (
	MaxDue  = 1000 // tasks that are looked at at once
	MaxDead = 100  // dead letters; beyond that tasks that fail go on being tried
	MaxKey  = 300  // bytes of a key
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)

// withDefaults fills in what was left out, and says what must not be.
func (m Manager) withDefaults() (Manager, error) {
	if !nameForm.MatchString(m.Name) {
		return m, fmt.Errorf("the process manager's name %q is not lower-case letters, digits and -", m.Name)
	}
	if m.Due == nil || m.Do == nil || m.Source == "" {
		return m, errors.New("process manager " + m.Name + " needs Source, Due and Do")
	}
	if m.Every <= 0 {
		m.Every = time.Minute
	}
	m.Parallel = max(m.Parallel, 1)
	m.Backoff = m.Backoff.withDefaults()
	return m, nil
}
