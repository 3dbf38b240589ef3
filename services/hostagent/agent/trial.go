package agent

import (
	"fmt"
	"time"

	"hubledger/services/internal/hosting"
)

// ends is how often a container has to have ended before its start is given up.
const ends = 3

// A trial is what is known of a container since the slot has wanted it as it does now.
type trial struct {
	container string // id
	fence     uint64
	since     time.Time
	healthy   bool // its health check has passed once
	exit      int  // exit code of its latest end
}

// try takes note of a container that was made or started for the slot as it is now.
func (s *slot) try(name, id string, fence uint64) {
	if s.trials == nil {
		s.trials = map[string]*trial{}
	}
	s.trials[name] = &trial{container: short(id), fence: fence, since: time.Now()}
}

// tried takes note of how a container is now. One that the agent, before it was started itself,
// has made for the slot as it is now says so by its labels; what was there before has no trial:
// its ends may be of long ago, and no deployment ends by them.
func (s *step) tried(name string, c *hosting.SeenContainer) {
	known, f := s.trials[name], s.have[name]
	if known == nil || known.container != c.ID || known.fence != s.t.Fence {
		delete(s.trials, name)
		if f.fence != s.t.Fence || f.generation != s.store.state().Generation {
			return
		}
		s.try(name, c.ID, s.t.Fence)
		known = s.trials[name]
	}
	known.healthy = known.healthy || c.Health == "healthy"
	if c.State != "running" {
		known.exit = c.ExitCode
	}
}

// hopeless says that waiting does not help a container that is not well: it ends over and over,
// or has never passed its health check. wrong is what is wrong with it now.
func (s *step) hopeless(name string, c *hosting.SeenContainer, wrong error) error {
	of := s.trials[name]
	if of == nil || c == nil {
		return wrong
	}
	if c.State == "running" && c.Restarts > 0 {
		c.ExitCode = of.exit // the engine forgets it when it starts the container again
	}
	ended := c.Restarts
	if c.State == "exited" || c.State == "dead" {
		ended++
	}
	switch {
	// What a container waits for, such as a database that starts beside it, gets time.
	case ended >= ends && time.Since(of.since) >= s.Times.Trial && (c.State != "running" || c.ExitCode != 0 || ended >= 2*ends):
		return &fatalError{fmt.Errorf("its container has ended %d times, the last time with exit code %d: %w", ended, c.ExitCode, wrong)}
	case c.Health == "unhealthy" && !of.healthy:
		return &fatalError{fmt.Errorf("its health check has failed as often as it may, and never passed: %w", wrong)}
	}
	return wrong
}
