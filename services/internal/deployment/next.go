package deployment

import (
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// An Event is one of an environment's subject, as it stands in the log or is to stand there.
type Event struct {
	Payload         events.Payload
	Seq             uint64
	ID, Correlation string
	Actor           string
}

// Next is the state after an event. The error says why the event may not be there: ErrBusy,
// ErrNotNow, ErrOther, ErrGates, ErrInvalid.
func Next(s State, e Event) (State, error) {
	n := s.clone()
	switch p := e.Payload.(type) {
	case events.EnvironmentCreated:
		if s.Step != Absent {
			return s, fmt.Errorf("%w: the environment is there", ErrInvalid)
		}
		n = State{Step: Idle, Of: events.DeploymentOf{Namespace: p.Namespace, Application: p.Application, Name: p.Name, Environment: p.Environment, Called: p.Called}}
	case events.EnvironmentDeleted:
		if !s.Step.Final() {
			return s, s.busy()
		}
		for colour := range n.Sides {
			n.set(colour, e.Seq, func(side *Side) { side.Phase, side.Share = Gone, 0 })
		}
		n.Step = Absent
	case events.DeploymentRequested:
		switch {
		case s.Step == Absent && s.Of.Environment != "":
			return s, fmt.Errorf("%w: the environment was deleted", ErrInvalid)
		case !s.Step.Final():
			return s, s.busy()
		}
		if err := n.request(p, e); err != nil {
			return s, err
		}
	default:
		about, ok := p.(interface{ About() events.DeploymentOf })
		if !ok {
			return s, fmt.Errorf("%w: %s is no event of a deployment", ErrInvalid, p.EventType())
		}
		if of := about.About(); of.Deployment != s.Of.Deployment || of.Environment != s.Of.Environment {
			return s, ErrOther
		}
		if err := n.goOn(p, e.Seq); err != nil {
			return s, err
		}
	}
	n.Seq, n.ID, n.Correlation = e.Seq, e.ID, e.Correlation
	if n.Step != s.Step {
		n.Since, n.GatesSince, n.Overdue = e.Seq, e.Seq, nil
	}
	return n, nil
}

// Fold is the state that events of one environment lead to. It can begin with any request
// for a deployment. An event that may not be there changes nothing: a later program may be
// stricter than the one that appended it.
func Fold(list []Event) (s State) {
	for _, e := range list {
		n, err := Next(s, e)
		if err != nil {
			n = s
			n.Seq, n.ID, n.Correlation = e.Seq, e.ID, e.Correlation
		}
		s = n
	}
	return s
}

func (s *State) busy() error {
	return &BusyError{Deployment: s.Of.Deployment, Called: s.Of.Called, By: s.By, Step: s.Step}
}

func (s *State) notNow(p events.Payload) error {
	return fmt.Errorf("%w: the deployment is %s", ErrNotNow, s.Step)
}

// set changes a side.
func (s *State) set(colour string, seq uint64, change func(*Side)) {
	side := s.Sides[colour]
	phase := side.Phase
	change(&side)
	if side.Fence = seq; side.Phase != phase {
		side.Began = seq
	}
	s.Sides[colour] = side
}

func (s *State) request(p events.DeploymentRequested, e Event) error {
	if p.Colour != hosting.Blue && p.Colour != hosting.Green {
		return fmt.Errorf("%w: %.20q is no colour", ErrInvalid, p.Colour)
	}
	if len(Coloured(p.Placement)) == 0 {
		return fmt.Errorf("%w: the environment has no hosts", ErrInvalid)
	}
	*s = State{Of: p.DeploymentOf, Step: Requested, Request: p, By: e.Actor, Sides: map[string]Side{}, Gates: map[string]Verdict{}}
	if p.Requester != "" {
		s.By = p.Requester
	}
	for _, b := range p.Before {
		side := Side{Release: b.Release, Deployment: b.Deployment, Phase: hosting.Phase(b.Phase), Placement: b.Placement, Fence: b.Fence, Began: b.Fence}
		if b.Colour != "" && side.Phase == hosting.Run {
			if b.Colour == p.Colour {
				return fmt.Errorf("%w: %s has the traffic, and is not replaced by itself", ErrInvalid, b.Colour)
			}
			side.Share = 100
		}
		s.Sides[b.Colour] = side
	}
	return nil
}

// goOn is what an event of a deployment that is there leads to.
func (s *State) goOn(p events.Payload, seq uint64) error {
	in, out := s.In(), s.Out()
	switch p := p.(type) {
	case events.DeploymentAdmitted:
		if s.Step != Requested {
			return s.notNow(p)
		}
		s.Step = Pulling
		s.Sides[in] = Side{Release: s.Request.Release, Deployment: s.Of.Deployment, Phase: hosting.Pull, Placement: coloured(s.Request.Placement), Fence: seq, Began: seq}
	case events.DeploymentRefused:
		if s.Step != Requested {
			return s.notNow(p)
		}
		s.Step, s.Outcome = Ended, events.DeploymentWasRefused
	case events.DeploymentPulled:
		if s.Step != Pulling {
			return s.notNow(p)
		}
		if err := s.all(in, p.Hosts); err != nil {
			return err
		}
		s.Step = Starting
		s.set(in, seq, func(side *Side) { side.Phase = hosting.Run })
		s.base(seq, s.Request.Release, s.Of.Deployment, s.Request.Placement)
	case events.DeploymentHealthy:
		return s.healthy(p, seq)
	case events.DeploymentShifted:
		first := s.Step == Ready && s.Replaces()
		more := s.Step == Shifting && p.Share > s.Sides[in].Share
		if !first && !more {
			return s.notNow(p)
		}
		if p.Share < 1 || p.Share > 99 {
			return fmt.Errorf("%w: a part of the traffic is 1 to 99 percent", ErrInvalid)
		}
		if s.Step = Shifting; p.Held {
			s.Step = Held
		}
		s.GatesSince = seq
		if s.Traffic == 0 {
			s.Traffic = seq
		}
		s.set(in, seq, func(side *Side) { side.Share = p.Share })
		s.set(out, seq, func(side *Side) { side.Share = 100 - p.Share })
	case events.DeploymentGateChanged:
		if !slices.Contains([]Step{Ready, Shifting, Held, Draining, Returning}, s.Step) && (s.Step != Ended || s.Outcome != events.DeploymentWasPromoted) {
			return s.notNow(p)
		}
		if !slices.Contains([]string{events.GatePass, events.GateFail, events.GateInconclusive}, p.Verdict) {
			return fmt.Errorf("%w: %.20q is no verdict", ErrInvalid, p.Verdict)
		}
		s.Gates[p.Gate] = Verdict{p.Verdict, p.Reason, p.Manual, seq}
		s.GatesSince = seq
	case events.DeploymentPromoted:
		return s.promoted(p, seq)
	case events.DeploymentRolledBack:
		return s.retreat(p, events.DeploymentWasRolledBack, seq)
	case events.DeploymentCancelled:
		return s.retreat(p, events.DeploymentWasCancelled, seq)
	case events.DeploymentFailed:
		if s.Step != Pulling && s.Step != Starting && s.Step != Ready {
			return s.notNow(p)
		}
		s.Failure = &p
		return s.retreat(p, events.DeploymentHasFailed, seq)
	case events.DeploymentHostExcluded:
		return s.exclude(p, seq)
	case events.DeploymentOverdue:
		if s.Step.Final() || p.Step != string(s.Step) {
			return s.notNow(p)
		}
		s.Overdue = &p
	case events.DeploymentFinished:
		gone := out
		switch s.Step {
		case Draining:
			s.Outcome = events.DeploymentWasPromoted
		case Leaving:
			gone = in
		default:
			return s.notNow(p)
		}
		if p.Outcome != s.Outcome {
			return fmt.Errorf("%w: it ends as %s", ErrInvalid, s.Outcome)
		}
		s.Step = Ended
		s.set(gone, seq, func(side *Side) { side.Phase = hosting.Keep })
	case events.DeploymentTornDown:
		if s.Step != Ended || s.Sides[p.Colour].Phase != hosting.Keep {
			return s.notNow(p)
		}
		s.set(p.Colour, seq, func(side *Side) { side.Phase = Gone })
	}
	return nil
}

// healthy: the new colour may get traffic, or that of before gets it again.
func (s *State) healthy(p events.DeploymentHealthy, seq uint64) error {
	switch {
	case s.Step == Starting && p.Colour == s.In():
		if err := s.all(p.Colour, p.Hosts); err != nil {
			return err
		}
		s.Step = Ready
	case s.Step == Returning && p.Colour == s.Out():
		if err := s.all(p.Colour, p.Hosts); err != nil {
			return err
		}
		s.leave(seq)
	default:
		return s.notNow(p)
	}
	return nil
}

// promoted gives the new colour everything.
func (s *State) promoted(p events.DeploymentPromoted, seq uint64) error {
	straight := s.Step == Ready && (!s.Replaces() || s.Request.Kind == events.DeployRollback)
	if !straight && s.Step != Shifting && s.Step != Held && s.Step != Returning {
		return s.notNow(p)
	}
	if !straight && p.Reason == "" && len(s.Open()) > 0 {
		return fmt.Errorf("%w: %v", ErrGates, s.Open())
	}
	s.set(s.In(), seq, func(side *Side) { side.Share = 100 })
	if !s.Replaces() {
		s.Step, s.Outcome = Ended, events.DeploymentWasPromoted
		return nil
	}
	s.Step, s.Outcome = Draining, ""
	s.set(s.Out(), seq, func(side *Side) { side.Phase, side.Share = hosting.Drain, 0 })
	return nil
}

// retreat gives the new colour up.
func (s *State) retreat(p events.Payload, outcome string, seq uint64) error {
	switch s.Step {
	case Requested:
		s.Step = Ended
	case Pulling:
		s.Step = Ended
		s.set(s.In(), seq, func(side *Side) { side.Phase = Gone })
	case Starting, Ready, Shifting, Held:
		s.leave(seq)
	case Draining:
		s.Step = Returning
		s.set(s.Out(), seq, func(side *Side) { side.Phase = hosting.Run })
	default:
		return s.notNow(p)
	}
	s.Outcome = outcome
	return nil
}

// leave takes everything from the new colour.
func (s *State) leave(seq uint64) {
	s.Step = Leaving
	s.set(s.In(), seq, func(side *Side) { side.Phase, side.Share = hosting.Drain, 0 })
	if !s.Replaces() {
		return
	}
	s.set(s.Out(), seq, func(side *Side) { side.Phase, side.Share = hosting.Run, 100 })
	for _, b := range s.Request.Before {
		if b.Colour == "" {
			s.base(seq, b.Release, b.Deployment, b.Placement)
		}
	}
}

// base gives the stateful services a release.
func (s *State) base(seq uint64, release int, deployment string, p events.Placement) {
	p = events.Placement{Stateful: p.Stateful}
	if now := s.Sides[""]; len(p.Stateful) == 0 && now.Fence == 0 {
		return
	}
	s.Sides[""] = Side{Release: release, Deployment: deployment, Phase: hosting.Run, Placement: p, Fence: seq, Began: seq}
}

// exclude lets the deployment go on without a host.
func (s *State) exclude(p events.DeploymentHostExcluded, seq uint64) error {
	if s.Step.Final() || s.Step == Requested {
		return s.notNow(p)
	}
	have := s.Sides[s.In()].Placement
	if s.Step == Draining || s.Step == Returning {
		have = s.Sides[s.Out()].Placement
	}
	if !slices.Contains(Coloured(have), p.Host) || slices.Contains(s.Excluded, p.Host) {
		return fmt.Errorf("%w: nothing waits for the host %s", ErrInvalid, p.Host.Name)
	}
	s.Excluded, s.Overdue = append(s.Excluded, p.Host), nil
	if s.Step == Draining || s.Step == Leaving {
		return nil // it is told to drain all the same
	}
	for _, colour := range []string{s.In(), s.Out()} {
		if colour == s.Out() && s.Step != Returning {
			continue // it has its traffic there, until it is drained
		}
		side := s.Sides[colour]
		left := without(side.Placement, p.Host.Machine)
		if len(left.Web) == 0 && len(side.Placement.Web) > 0 || len(left.Worker) == 0 && len(side.Placement.Worker) > 0 {
			return fmt.Errorf("%w: %s is the last host of its role: cancel the deployment instead", ErrInvalid, p.Host.Name)
		}
	}
	of := s.In()
	if s.Step == Returning {
		of = s.Out() // the new colour still has the traffic
	}
	s.set(of, seq, func(side *Side) { side.Placement = without(side.Placement, p.Host.Machine) })
	return nil
}

// all says that a colour needs nothing of other hosts than these.
func (s *State) all(colour string, hosts []string) error {
	for _, h := range Coloured(s.Sides[colour].Placement) {
		if !slices.Contains(hosts, h.Machine) && !slices.Contains(s.Excluded, h) {
			return fmt.Errorf("%w: the host %s is missing", ErrInvalid, h.Name)
		}
	}
	return nil
}

// Open are the names of the gates that have not passed, in their order.
func (s *State) Open() (names []string) {
	for _, g := range s.Request.Policy.Gates {
		if s.Gates[g.Name].Verdict != events.GatePass {
			names = append(names, g.Name)
		}
	}
	return names
}

// Failing are those of them that have failed.
func (s *State) Failing() (names []string) {
	for _, g := range s.Request.Policy.Gates {
		if s.Gates[g.Name].Verdict == events.GateFail {
			names = append(names, g.Name)
		}
	}
	return names
}

func coloured(p events.Placement) events.Placement {
	return events.Placement{Web: p.Web, Worker: p.Worker}
}
