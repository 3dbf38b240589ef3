package hostagent

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/hosting"
)

const (
	// syncFor is how long a host waits for another state before it asks again.
	syncFor = 20 * time.Second
	// maxState bounds a state, in bytes of JSON.
	maxState = 1900 << 10
)

// A host is one that asks: the hub as it may use it.
type host struct {
	*Hosts
	machine *accounts.Machine
}

// Sync is of wire.Hub. A host waits in one place only: an earlier request ends.
func (h host) Sync(ctx context.Context, generation string, epoch uint64) (*hosting.State, error) {
	ctx, done, err := h.heard.waits(ctx, h.machine.ID, forState)
	if err != nil {
		return nil, err
	}
	defer done()
	end := time.After(syncFor)
	for {
		changed := h.Planner.Changed(h.machine.ID) // before it is asked, so that no change is missed
		state, err := h.Planner.Desired(ctx, h.machine.ID)
		if err != nil {
			return nil, fmt.Errorf("the state of the host %s: %w", h.machine.Name, err)
		}
		if state.Generation != generation || state.Epoch > epoch {
			return &state, h.fits(&state)
		}
		select {
		case <-changed:
		case <-end:
			return nil, nil
		case <-ctx.Done():
			return nil, wire.ErrBusy
		}
	}
}

// fits says that a state is larger than what a host is told at once.
func (h host) fits(state *hosting.State) error {
	text, err := json.Marshal(state)
	if err == nil && len(text) > maxState {
		err = fmt.Errorf("the state of the host %s has %d bytes, and at most %d", h.machine.Name, len(text), maxState)
	}
	return err
}

// Observed is of wire.Hub.
func (h host) Observed(ctx context.Context, o hosting.Observation) error {
	if err := h.heard.asks(h.machine.ID); err != nil {
		return err
	}
	if err := judge(o); err != nil {
		return err
	}
	h.heard.saw(h.machine.ID, o)
	return h.Planner.Observed(ctx, h.machine.ID, o)
}

// Look is of wire.Hub. A host waits in one place only: an earlier request ends.
func (h host) Look(ctx context.Context) (*hosting.Look, error) {
	ctx, done, err := h.heard.waits(ctx, h.machine.ID, forLooks)
	if err != nil {
		return nil, err
	}
	defer done()
	return h.looks.next(ctx, h.machine.ID, syncFor)
}

// Told is of wire.Hub. Only a question that this host was asked has an answer; who answers
// otherwise is counted.
func (h host) Told(_ context.Context, id string, s hosting.Sight) error {
	if !h.looks.asks(h.machine.ID, id) {
		return h.heard.asks(h.machine.ID)
	}
	if err := judgeSight(s); err != nil {
		h.looks.tell(h.machine.ID, id, hosting.Sight{Error: "the answer of the host is malformed"})
		return err
	}
	h.looks.tell(h.machine.ID, id, s)
	return nil
}

// Token is of wire.Hub.
func (h host) Token(ctx context.Context, repository string) (text string, ends time.Time, err error) {
	if err := h.heard.asks(h.machine.ID); err != nil {
		return "", ends, err
	}
	may, err := h.Planner.Pulls(ctx, h.machine.ID, repository)
	if err != nil {
		return "", ends, err
	}
	if !may {
		return "", ends, wire.ErrDenied
	}
	return h.Config.Token(ctx, h.machine, repository)
}
