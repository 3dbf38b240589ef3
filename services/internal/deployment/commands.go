package deployment

import (
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// A Wish is what a deployment is asked for with.
type Wish struct {
	Kind      string // events.DeployForward or DeployRollback
	Release   int
	Version   int // of the environment's configuration
	Placement events.Placement
	Policy    events.DeployPolicy
	Requester string // by whose right, where that is not the actor
	Note      string
}

// maxNote bounds what people say of what they do, in bytes.
const maxNote = 1000

func noteFits(note string) error {
	if len(note) > maxNote {
		return fmt.Errorf("%w: what is said of it has %d bytes, and at most %d", ErrInvalid, len(note), maxNote)
	}
	return nil
}

// Request asks for a deployment with an id that was minted for it: in the colour that has no
// traffic. ErrBusy, ErrInvalid.
func Request(s State, deployment string, w Wish) (events.Payload, error) {
	if !s.Step.Final() {
		return nil, s.busy()
	}
	if err := noteFits(w.Note); err != nil {
		return nil, err
	}
	r := events.DeploymentRequested{DeploymentOf: s.Of, Kind: w.Kind, Release: w.Release, Version: w.Version, Colour: hosting.Blue, Before: s.before(), Placement: w.Placement, Policy: w.Policy, Requester: w.Requester, Note: w.Note}
	r.Deployment = deployment
	if live := s.Live(); live != "" {
		r.Colour = Other(live)
	}
	_, err := Next(s, Event{Payload: r, Seq: s.Seq + 1})
	return r, err
}

// Free says whether no deployment has the environment. ErrBusy.
func Free(s State) error {
	if !s.Step.Final() {
		return s.busy()
	}
	return nil
}

// Admit lets a deployment begin, unless there are reasons against it.
func Admit(s State, reasons []string) events.Payload {
	if len(reasons) > 0 {
		return events.DeploymentRefused{DeploymentOf: s.Of, Reasons: reasons}
	}
	return events.DeploymentAdmitted{DeploymentOf: s.Of}
}

// Promote is what gives the new colour everything, with a reason when gates have not
// passed. Whoever is not healthy on all hosts gets nothing. ErrOther, ErrNotNow, ErrGates.
func Promote(s State, w Watch, reason string) (events.Payload, error) {
	if s.Step == Ended && s.Outcome == events.DeploymentWasPromoted || s.Step == Draining {
		return nil, nil
	}
	p := events.DeploymentPromoted{DeploymentOf: s.Of, Over: s.Open(), Reason: reason}
	if _, err := Next(s, Event{Payload: p, Seq: s.Seq + 1}); err != nil {
		return nil, err
	}
	if left := s.waiting(w, s.In(), healthy); len(left) > 0 {
		why := s.said(w, left, s.In())
		if why != "" {
			why = " (" + why + ")"
		}
		return nil, fmt.Errorf("%w: %s is not healthy on %s%s: wait, exclude the host, or go back", ErrNotNow, s.In(), names(left), why)
	}
	return p, nil
}

// RollBack gives the new colour up. Nothing is to be done when it is given up already, or
// was never promoted and has ended. ErrNotNow.
func RollBack(s State, reason string) (events.Payload, error) {
	return s.giveUp(events.DeploymentRolledBack{DeploymentOf: s.Of, Reason: reason})
}

// Cancel is RollBack by another word, which says that nothing was wrong.
func Cancel(s State, reason string) (events.Payload, error) {
	return s.giveUp(events.DeploymentCancelled{DeploymentOf: s.Of, Reason: reason})
}

func (s *State) giveUp(p events.Payload) (events.Payload, error) {
	if s.Step == Returning || s.Step == Leaving {
		return nil, nil
	}
	if s.Step.Final() {
		return nil, fmt.Errorf("%w: the deployment has ended (%s): deploy the release that is to run", ErrNotNow, s.Outcome)
	}
	_, err := Next(*s, Event{Payload: p, Seq: s.Seq + 1})
	return p, err
}

// Exclude lets the deployment go on without a host, by its name. ErrNotNow, ErrInvalid.
func Exclude(s State, host, reason string) (events.Payload, error) {
	all := slices.Concat(Hosts(s.Request.Placement), Hosts(s.Sides[s.Out()].Placement))
	k := slices.IndexFunc(all, func(h events.PlacedHost) bool { return h.Name == host })
	if k < 0 {
		return nil, fmt.Errorf("%w: the deployment has no host %.80s", ErrInvalid, host)
	}
	p := events.DeploymentHostExcluded{DeploymentOf: s.Of, Host: all[k], Reason: reason}
	if slices.Contains(s.Excluded, all[k]) {
		return nil, nil
	}
	_, err := Next(s, Event{Payload: p, Seq: s.Seq + 1})
	return p, err
}

// Judge says what a gate has found; nothing when it has said so before. What a person says
// of a gate stands against what it measures. ErrNotNow, ErrInvalid.
func Judge(s State, gate, verdict, reason string, manual bool) (events.Payload, error) {
	if !slices.ContainsFunc(s.Request.Policy.Gates, func(g events.DeployGate) bool { return g.Name == gate }) {
		return nil, fmt.Errorf("%w: the deployment has no gate %.80s", ErrInvalid, gate)
	}
	now, known := s.Gates[gate]
	if known && (now.Verdict == verdict && now.Manual == manual || now.Manual && !manual) {
		return nil, nil
	}
	p := events.DeploymentGateChanged{DeploymentOf: s.Of, Gate: gate, Verdict: verdict, Reason: reason, Manual: manual}
	_, err := Next(s, Event{Payload: p, Seq: s.Seq + 1})
	return p, err
}

func names(list []events.PlacedHost) string {
	text := ""
	for k, h := range list {
		if k > 0 {
			text += ", "
		}
		text += h.Name
	}
	return text
}
