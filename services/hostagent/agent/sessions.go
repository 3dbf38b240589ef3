package agent

import (
	"context"
	"errors"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/hosting"
)

// sessions are the open ones that balancers on this host have to a slot; known is false when
// none says so.
func (a *Agent) sessions(ctx context.Context, t *hosting.Slot) (n int, known bool) {
	for _, path := range a.Sockets {
		here, err := path.Sessions(ctx, t.Application, t.Environment, balancer.Server(a.Name, t.Colour))
		if err != nil {
			a.Logger.Debug("the balancer does not say what sessions it has", "socket", path, "error", err)
			return 0, false
		}
		n, known = n+here, true
	}
	return n, known
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
