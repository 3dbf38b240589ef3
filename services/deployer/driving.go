package deployer

import (
	"context"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/process"
)

// source is who signs what follows from a deployment.
const source = "/deployer"

// driving is the process manager that brings deployments on: it judges requests, and turns what
// hosts see into events. Each expects the event that it follows from to be the latest one of
// the environment, and has an id that derives from it: killed anywhere and started again, it
// ends in the same log, and nothing is done behind a person's back.
func (s *Deployer) driving() process.Manager {
	return process.Manager{
		Name:   "deployments",
		Source: source,
		Wakes: []string{"deployment.requested.v1", "deployment.admitted.v1", "deployment.pulled.v1", "deployment.healthy.v1", "deployment.shifted.v1", "deployment.gate_changed.v1", "deployment.promoted.v1",
			"deployment.rolled_back.v1", "deployment.cancelled.v1", "deployment.failed.v1", "deployment.host_excluded.v1"},
		Woken:    s.fleet.Woken,
		Every:    time.Second,
		Parallel: 4,
		// A deployment is not given up because the hub has a bad hour.
		Backoff: process.Backoff{First: 500 * time.Millisecond, Max: 10 * time.Second, Attempts: process.Unlimited},
		View:    s.View,
		Due: func(ctx context.Context, now time.Time) (tasks []process.Task, err error) {
			latest, err := s.Read.Latest(ctx)
			if err != nil {
				return nil, err
			}
			for environment, seq := range latest {
				known, err := s.states.get(ctx, s, environment, seq)
				if err != nil {
					return nil, err
				}
				if known.State.Step != deployment.Requested && deployment.Due(known.State, s.watch(ctx, known, now)) == nil {
					continue
				}
				if lives, err := s.lives(ctx, environment); err != nil {
					return nil, err
				} else if lives {
					tasks = append(tasks, process.Task{Key: environment, Cause: known.State.ID, Correlation: known.State.Correlation})
				}
			}
			return tasks, nil
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) { return nil, s.drive(ctx, t) },
	}
}

// lives says whether an environment and its application do. A deployment that has one that was deleted
// comes to no end: nothing is left of it on hosts.
func (s *Deployer) lives(ctx context.Context, environment string) (bool, error) {
	place, err := s.Read.Place(ctx, environment)
	if err != nil {
		return false, err
	}
	return place.Ended == 0, nil
}

// lookAt is what the hosts of an environment have reported last. While a deployment is under way,
// reports of hosts that were revoked since are left out, and those hosts are named.
func (s *Deployer) lookAt(ctx context.Context, state deployment.State) deployment.Watch {
	w := s.fleet.Watch(state)
	if state.Step.Final() {
		return w
	}
	known, err := s.People.Machines(ctx, events.MachineHost, time.Now())
	if err != nil {
		s.Logger.Warn("it is not known which hosts were revoked; it is looked at again", "error", err)
		return w
	}
	enrolled := map[string]bool{}
	for _, m := range known {
		enrolled[m.ID] = true
	}
	w.Revoked = map[string]bool{}
	for _, side := range state.Sides {
		for _, h := range deployment.Hosts(side.Placement) {
			if !enrolled[h.Machine] {
				w.Revoked[h.Machine] = true
				delete(w.Hosts, h.Machine)
			}
		}
	}
	return w
}

// watch is what is seen for an environment.
func (s *Deployer) watch(ctx context.Context, known knownState, now time.Time) deployment.Watch {
	w := s.look(ctx, known.State)
	w.Kept, w.Stale = now.Sub(known.at), !s.streaks.fresh(known.State)
	if w.Elapsed == nil { // tests have a clock of their own
		w.Elapsed = func(seq uint64) time.Duration { return known.since(seq, now) }
	}
	return w
}

// drive appends what is due now in an environment, if it still is.
func (s *Deployer) drive(ctx context.Context, t process.Task) error {
	known, err := s.known(ctx, t.Key)
	if err != nil {
		return err
	}
	state := known.State
	var p events.Payload
	if state.Step == deployment.Requested {
		reasons, err := s.admit(ctx, state)
		if err != nil {
			return err
		}
		p = deployment.Admit(state, reasons)
	} else {
		w := s.watch(ctx, known, time.Now())
		p = deployment.Due(state, w)
		switch p.(type) {
		case events.DeploymentFailed, events.DeploymentOverdue: // they have what hosts say
			if w, err = s.masked(ctx, state, w); err != nil {
				return err
			}
			p = deployment.Due(state, w)
		}
		if p == nil {
			return nil
		}
	}
	e, err := events.New(p, events.Meta{ID: process.EventID("deployments", process.Task{Key: state.ID, Cause: state.ID}), Source: source, Actor: "system", Cause: state.ID, Correlation: state.Correlation})
	if err != nil {
		return err
	}
	seq, err := s.Log.Append(ctx, e, state.Seq)
	if errors.Is(err, events.ErrConflict) {
		return s.View.Wait(ctx, state.Seq) // something else has happened: that decides what is due
	}
	if err != nil {
		return err
	}
	return s.View.Wait(ctx, seq)
}

// judgeRequest is what stands against the request of a state.
func (s *Deployer) judgeRequest(ctx context.Context, state deployment.State) ([]string, error) {
	place, err := s.Read.Place(ctx, state.Of.Environment)
	if err != nil {
		return nil, err
	}
	r := state.Request
	return s.against(ctx, place, deployment.Wish{Kind: r.Kind, Release: r.Release, Version: r.Version, Placement: r.Placement, Policy: r.Policy}, time.Now())
}

// system signs what follows from the state of an environment.
func system(state deployment.State) command.By {
	return command.By{Source: source, Actor: "system", Cause: state.ID, Correlation: state.Correlation}
}
