package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/moby/moby/client"

	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

const (
	looksAtOnce = 16
	lookWithin  = 10 * time.Second // beside what a look waits for lines
	oldHub      = time.Minute      // until a hub that does not know such questions is asked again
)

// answer fetches what people want to know of containers of this host, and answers it, as long as
// ctx lasts. The hub never calls: it is asked.
func (a *Agent) answer(ctx context.Context) {
	room := make(chan struct{}, looksAtOnce)
	for ctx.Err() == nil {
		q, err := a.Hub.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, wire.ErrReport):
			pause(ctx, oldHub)
		case err != nil:
			pause(ctx, time.Second+rand.N(2*time.Second))
		case q != nil:
			room <- struct{}{}
			a.work.Go(func() {
				defer func() { <-room }()
				if err := a.Hub.Told(ctx, q.ID, a.sight(ctx, *q)); err != nil && ctx.Err() == nil {
					a.Logger.Debug("the hub did not take what a container says", "error", err)
				}
			})
		}
	}
}

// sight looks at a container.
func (a *Agent) sight(ctx context.Context, q hosting.Look) hosting.Sight {
	ctx, cancel := context.WithTimeout(ctx, lookWithin+min(q.Wait, hosting.MaxWait))
	defer cancel()
	s, err := a.lookAt(ctx, q)
	if err != nil {
		return hosting.Sight{Error: shortened(err.Error(), maxError)}
	}
	return s
}

// errNotHere is about every container that is not of the slot, whether there is one or not.
var errNotHere = errors.New("the container is not there any more")

func (a *Agent) lookAt(ctx context.Context, q hosting.Look) (hosting.Sight, error) {
	var slot *hosting.Slot
	state := a.store.state()
	for k := range state.Slots {
		if state.Slots[k].ID == q.Slot {
			slot = &state.Slots[k]
		}
	}
	if slot == nil {
		return hosting.Sight{}, errNotHere
	}
	// By its labels it is of this host and of the slot: whatever the hub says, nothing else is looked at.
	of, err := a.containers(ctx, slot.ID)
	if err != nil {
		return hosting.Sight{}, fmt.Errorf("the container engine: %w", err)
	}
	id := ""
	for _, f := range of[slot.ID] {
		if q.Container != "" && short(f.id) == q.Container {
			id = f.id
		}
	}
	if id == "" {
		return hosting.Sight{}, errNotHere
	}
	r, err := a.Engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return hosting.Sight{}, fmt.Errorf("the container engine: %w", err)
	}
	known := maskOfContainer(slot, r.Container.Config)
	s := hosting.Sight{Running: r.Container.State != nil && r.Container.State.Running}
	switch q.Kind {
	case hosting.LookLogs:
		err = a.lines(ctx, id, q, known.secrets, &s)
	case hosting.LookInspect:
		s.Inspect = inspected(r.Container, known.all)
	case hosting.LookTop:
		err = a.processes(ctx, id, known.all, &s)
	default:
		err = fmt.Errorf("%.20q is nothing that this agent can look at: it is older than the hub", q.Kind)
	}
	return s, err
}

// masks are what a container has that others may not read: its secrets, and all values of its
// configuration, which only owners read.
type masks struct{ secrets, all *redact.Set }
