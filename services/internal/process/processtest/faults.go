package processtest

import (
	"errors"
	"sync"
)

// errKilled is what the manager gets after its death; nobody hears of it.
var errKilled = errors.New("the process was killed")

// faults kill a life at one of its steps. Nil faults kill nothing.
type faults struct {
	at       int  // the step, from 1
	persists bool // the step is made
	killed   chan struct{}

	mu    sync.Mutex
	armed bool
	steps int
}

func killAt(k int, persists bool) *faults {
	return &faults{at: k, persists: persists, killed: make(chan struct{})}
}

// arm begins to count.
func (f *faults) arm() {
	if f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.armed = true
	}
}

// dead is closed at the kill.
func (f *faults) dead() <-chan struct{} {
	if f == nil {
		return nil
	}
	return f.killed
}

// step makes a step, unless the life ends before it; then nothing is made any more.
func (f *faults) step(do func() error) error {
	if f == nil {
		return do()
	}
	f.mu.Lock()
	if !f.armed {
		f.mu.Unlock()
		return do()
	}
	f.steps++
	n := f.steps
	f.mu.Unlock()
	switch {
	case n < f.at:
		return do()
	case n == f.at:
		var err error
		if f.persists {
			err = do()
		}
		close(f.killed)
		return errors.Join(errKilled, err)
	}
	return errKilled
}
