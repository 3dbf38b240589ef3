package deployer

import (
	"context"
	"sync"
	"time"

	"hubledger/services/internal/deployment"
)

// A knownState is where an environment was, and when its latest event was.
type knownState struct {
	State deployment.State
	at    time.Time
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
	state, at, err := s.state(ctx, environment)
	if err != nil {
		return known, err
	}
	known = knownState{state, at}
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
		all[environment] = knownState{folded(list), list[len(list)-1].Time}
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
