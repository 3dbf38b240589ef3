// Package deployment holds what may be decided about deployments. An environment is a pure
// state machine over the events of its subject: Next says where an event leads, and whether
// it may be there; Due says which event follows from what hosts see; Slots says what each
// host is to run. Nothing here reads a clock, a store or a host.
package deployment

import (
	"errors"
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// A Step is how far the latest deployment of an environment is.
type Step string

// Steps. Nothing runs by itself in Idle and Ended: another deployment can have the environment.
const (
	Absent    Step = ""          // there is no such environment
	Idle      Step = "idle"      // nothing was deployed to it yet
	Requested Step = "requested" // it has the environment, and is judged
	Pulling   Step = "pulling"   // hosts pull the images
	Starting  Step = "starting"  // containers start, without traffic
	Ready     Step = "ready"     // all hosts are healthy, without traffic
	Shifting  Step = "shifting"  // the new colour has a part of the traffic, and gets more
	Held      Step = "held"      // it has its last part: somebody promotes it, or goes back
	Draining  Step = "draining"  // it was promoted: the colour of before is drained
	Returning Step = "returning" // after the promotion somebody goes back: the colour of before comes up again
	Leaving   Step = "leaving"   // the new colour is drained
	Ended     Step = "ended"
)

// Steps in their order.
var Steps = []Step{Idle, Requested, Pulling, Starting, Ready, Shifting, Held, Draining, Returning, Leaving, Ended}

// Final says that no deployment has the environment.
func (s Step) Final() bool { return s == Absent || s == Idle || s == Ended }

// Gone is the phase of a side that was removed.
const Gone hosting.Phase = "gone"

// A Side is what a colour of an environment has, or, without a colour, its stateful services.
type Side struct {
	Release    int
	Deployment string // that brought it
	Phase      hosting.Phase
	Share      int // of the traffic, in percent
	Placement  events.Placement
	// Fence is the sequence of the event that changed the side last; 0: it never was. Began is
	// that of the one that brought it to its phase: what a host has seen since then of the
	// side counts.
	Fence, Began uint64
}

func (s Side) there() bool { return s.Fence != 0 && s.Phase != Gone }

// A Verdict is the latest one of a gate.
type Verdict struct {
	Verdict, Reason string
	Manual          bool
	Seq             uint64
}

// A State is where an environment is. The zero State is that of none.
type State struct {
	Of      events.DeploymentOf // Deployment is that of the latest one
	Step    Step
	Request events.DeploymentRequested // of the latest deployment
	By      string                     // who has asked for it
	Outcome string                     // how it has ended, or, in Leaving and Returning, is to end
	// Sides are those of blue, green and, by "", the stateful services.
	Sides    map[string]Side
	Excluded []events.PlacedHost
	Gates    map[string]Verdict
	Overdue  *events.DeploymentOverdue // of this step
	Failure  *events.DeploymentFailed
	// Seq is the sequence of the latest event, ID its id, Since the sequence of the event
	// that began the step, GatesSince that of the latest one that a gate or the step changed, Traffic
	// that of the one that gave the new colour its first part, 0 before.
	Seq, Since, GatesSince, Traffic uint64
	ID, Correlation                 string
}

// In is the colour that the latest deployment brings, and Out the other one.
func (s *State) In() string  { return s.Request.Colour }
func (s *State) Out() string { return Other(s.Request.Colour) }

// Other is the other colour.
func Other(colour string) string {
	if colour == hosting.Blue {
		return hosting.Green
	}
	return hosting.Blue
}

// Replaces says whether there is a colour that the latest deployment replaces.
func (s *State) Replaces() bool {
	return slices.ContainsFunc(s.Request.Before, func(b events.DeploymentSide) bool {
		return b.Colour == s.Out() && b.Phase == string(hosting.Run)
	})
}

// Live is the colour that has all or most of the traffic, "" for none.
func (s *State) Live() (colour string) {
	share := 0
	for _, c := range []string{hosting.Blue, hosting.Green} {
		side := s.Sides[c]
		if side.there() && side.Share > 0 && (side.Share > share || side.Share == share && c == s.Out()) {
			colour, share = c, side.Share
		}
	}
	return colour
}

// clone is a copy that can be changed.
func (s State) clone() State {
	sides, gates := map[string]Side{}, map[string]Verdict{}
	for k, v := range s.Sides {
		sides[k] = v
	}
	for k, v := range s.Gates {
		gates[k] = v
	}
	s.Sides, s.Gates, s.Excluded = sides, gates, slices.Clone(s.Excluded)
	return s
}

// before is what a request says of the sides of now.
func (s *State) before() (list []events.DeploymentSide) {
	for _, colour := range []string{hosting.Blue, hosting.Green, ""} {
		if side := s.Sides[colour]; side.Fence != 0 {
			list = append(list, events.DeploymentSide{Colour: colour, Phase: string(side.Phase), Release: side.Release, Deployment: side.Deployment, Placement: side.Placement, Fence: side.Fence})
		}
	}
	return list
}

// Hosts are all of a placement, each once, by name.
func Hosts(p events.Placement) (list []events.PlacedHost) {
	for _, h := range slices.Concat(p.Web, p.Worker, p.Stateful) {
		if !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b events.PlacedHost) int { return compare(a.Name, b.Name) })
	return list
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Coloured are the hosts that have web services or workers.
func Coloured(p events.Placement) []events.PlacedHost {
	return Hosts(events.Placement{Web: p.Web, Worker: p.Worker})
}

// without is a placement without a host.
func without(p events.Placement, machine string) events.Placement {
	is := func(h events.PlacedHost) bool { return h.Machine == machine }
	return events.Placement{Web: slices.DeleteFunc(slices.Clone(p.Web), is), Worker: slices.DeleteFunc(slices.Clone(p.Worker), is), Stateful: p.Stateful}
}

var (
	// ErrBusy: a deployment has the environment. It is a *BusyError.
	ErrBusy = errors.New("a deployment has the environment")
	// ErrNotNow: the deployment is not where this can be done; the error's text says where it is.
	ErrNotNow = errors.New("this cannot be done now")
	// ErrOther: the deployment is not the latest one of the environment.
	ErrOther = errors.New("it is not the latest deployment of the environment, and changes nothing any more")
	// ErrGates: gates have not passed, and no reason was given to go on all the same.
	ErrGates = errors.New("gates have not passed: wait, or say why it is to be promoted all the same")
	// ErrInvalid: this cannot be; the error's text says why.
	ErrInvalid = errors.New("this cannot be used")
)

// A BusyError says who has the environment.
type BusyError struct {
	Deployment, Called, By string
	Step                   Step
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("deployment %s of %s has %s (%s): wait for it, or cancel it", e.Deployment, e.By, e.Called, e.Step)
}
func (e *BusyError) Is(target error) bool { return target == ErrBusy }
