package deployer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
)

// folded is where events of an environment lead.
func folded(list []deploys.Happening) deployment.State {
	all := make([]deployment.Event, len(list))
	for k, h := range list {
		all[k] = deployment.Event{Payload: h.Payload, Seq: h.Seq, ID: h.ID, Correlation: h.Correlation, Actor: h.Actor}
	}
	return deployment.Fold(all)
}

// state is where an environment is, by its id.
func (s *Deployer) state(ctx context.Context, environment string) (deployment.State, error) {
	known, err := s.known(ctx, environment)
	return known.State, err
}

// known is state with the times of the events.
func (s *Deployer) known(ctx context.Context, environment string) (knownState, error) {
	list, err := s.Read.Since(ctx, environment)
	if err != nil || len(list) == 0 {
		return knownState{}, err
	}
	return knownOf(list), nil
}

// stateAt is where an environment is with the event of that sequence of its subject. It may be
// a later state: what is decided by it expects that event to be the latest one.
func (s *Deployer) stateAt(ctx context.Context, environment string, seq uint64) (deployment.State, error) {
	if err := s.View.Wait(ctx, seq); err != nil {
		return deployment.State{}, err
	}
	return s.state(ctx, environment)
}

// decide appends what next makes of the state of an environment. It is refused when another
// environment of that name is there now.
func (s *Deployer) decide(ctx context.Context, by command.By, e application.Environment, next func(deployment.State) (events.Payload, error)) (uint64, error) {
	return command.Decide(ctx, s.Log, by, events.EnvironmentSubject(e.Namespace, e.Application, e.Called), func(_ events.Payload, seq uint64) (events.Payload, error) {
		state, err := s.stateAt(ctx, e.Environment, seq)
		if err != nil {
			return nil, err
		}
		if state.Step == deployment.Absent {
			return nil, fmt.Errorf("environment %s: %w", e.Called, application.ErrUnknown)
		}
		return next(state)
	})
}

// A knownState is where an environment was, and when its events were, by the time of the log.
type knownState struct {
	State deployment.State
	at    time.Time // of the latest one
	times map[uint64]time.Time
}

// knownOf is where events of an environment lead; there is at least one.
func knownOf(list []deploys.Happening) knownState {
	known := knownState{State: folded(list), at: list[len(list)-1].Time, times: map[uint64]time.Time{}}
	for _, h := range list {
		known.times[h.Seq] = h.Time
	}
	return known
}

// since is how long ago an event of the environment was; 0 for one that is not known, and for one
// that is of later than now by the clock of the node that appended it.
func (k knownState) since(seq uint64, now time.Time) time.Duration {
	at, ok := k.times[seq]
	if !ok {
		return 0
	}
	return max(0, now.Sub(at))
}

// states are those that were folded, by environment, so that a look at all of them reads only
// those that have moved.
type states struct {
	mu  sync.Mutex
	all map[string]knownState
}

// maxStates bounds what is kept of them.
const maxStates = 5000

// get is the state of an environment that has an event of that sequence.
func (k *states) get(ctx context.Context, s *Deployer, environment string, seq uint64) (knownState, error) {
	k.mu.Lock()
	known, ok := k.all[environment]
	k.mu.Unlock()
	if ok && known.State.Seq >= seq {
		return known, nil
	}
	known, err := s.known(ctx, environment)
	if err != nil {
		return known, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(environment, known)
	return known, nil
}

// many is get of several environments, by id, with the sequences of their latest events: those that
// have moved are read at once.
func (k *states) many(ctx context.Context, s *Deployer, seqs map[string]uint64) (map[string]knownState, error) {
	all, moved := map[string]knownState{}, []string{}
	k.mu.Lock()
	for environment, seq := range seqs {
		if known, ok := k.all[environment]; ok && known.State.Seq >= seq {
			all[environment] = known
		} else {
			moved = append(moved, environment)
		}
	}
	k.mu.Unlock()
	read, err := s.Read.SinceOf(ctx, moved)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for environment, list := range read {
		all[environment] = knownOf(list)
		k.put(environment, all[environment])
	}
	return all, nil
}

// put keeps a state. Call it with mu held.
func (k *states) put(environment string, known knownState) {
	if k.all == nil || len(k.all) >= maxStates {
		k.all = map[string]knownState{}
	}
	k.all[environment] = known
}
