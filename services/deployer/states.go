package deployer

import (
	"context"
	"fmt"

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
