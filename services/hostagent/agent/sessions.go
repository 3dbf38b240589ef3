package agent

import (
	"context"
	"errors"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/hosting"
)

// A load is what the balancers on this host say of a slot.
type load struct {
	sessions int // that are open
	requests int64
	known    bool // at least one of them has the slot, and all say what it has
	silent   bool // one does not answer: it may have sessions
}

// load asks the balancers on this host. One that does not have the slot does not count: it
// sends nothing to it.
func (a *Agent) load(ctx context.Context, t *hosting.Slot) (l load) {
	for _, path := range a.Sockets {
		sessions, requests, err := path.Load(ctx, t.Application, t.Environment, balancer.Server(a.Name, t.Colour))
		switch {
		case err == nil:
			l.sessions, l.requests, l.known = l.sessions+sessions, l.requests+requests, true
		case !errors.Is(err, balancer.ErrForeign):
			l.silent = true
		}
		if err != nil {
			a.Logger.Debug("the balancer does not say what sessions it has", "socket", path, "error", err)
		}
	}
	if l.silent {
		return load{silent: true}
	}
	return l
}

// refused names the balancer of this host that sends nothing to a slot yet, since its own
// checks have not passed; "" for none. One that does not answer hinders nobody.
func (a *Agent) refused(ctx context.Context, t *hosting.Slot) balancer.Socket {
	for _, path := range a.Sockets {
		down, err := path.Down(ctx, t.Application, t.Environment, balancer.Server(a.Name, t.Colour))
		if err != nil {
			a.Logger.Debug("the balancer does not say whether its servers are up", "socket", path, "error", err)
		} else if down {
			return path
		}
	}
	return ""
}

// shutdownSessions ends the sessions of a slot.
func (a *Agent) shutdownSessions(ctx context.Context, t *hosting.Slot) (err error) {
	for _, path := range a.Sockets {
		err = errors.Join(err, path.Shutdown(ctx, t.Application, t.Environment, balancer.Server(a.Name, t.Colour)))
	}
	return err
}

const (
	// inForce is how long after a change of the state all balancers have asked for weights.
	inForce   = 2 * time.Second
	keepEvery = 30 * time.Second
)

// keepServers keeps what HAProxy says of its servers, so that it begins with the weights
// that were in force when it is started again.
func (a *Agent) keepServers(ctx context.Context) {
	if a.StateFile == "" || len(a.Sockets) == 0 {
		return
	}
	failing := false
	for ctx.Err() == nil {
		text, err := a.Sockets[0].State(ctx)
		if err == nil {
			err = durable.ReplaceFile(a.StateFile, text, 0o644)
		}
		if err != nil && !failing && ctx.Err() == nil {
			a.Logger.Warn("the state of HAProxy's servers is not kept; it is tried again", "file", a.StateFile, "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(keepEvery):
		case <-a.shares:
			pause(ctx, inForce)
		}
	}
}
