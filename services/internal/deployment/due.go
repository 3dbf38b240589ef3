package deployment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// A Watch is what the hub sees of the hosts of an environment.
type Watch struct {
	// Hosts are the latest observations, by the id of the machine, of hosts that are heard
	// now. One that is missing is grey: nothing is known of it.
	Hosts map[string]hosting.Observation
	// Revoked are those of them, by the id of the machine, that are no hosts any more: they stay grey.
	Revoked map[string]bool
	// Elapsed is how long ago the event of that sequence was, by the time of the log. Only
	// waiting rests on it.
	Elapsed func(seq uint64) time.Duration
	// Stale: gates were not measured since the hub has started: nothing follows from their passing.
	Stale bool
	// Early: the hub has started just now, and hosts had no time to be heard.
	Early bool
	// Kept is how long ago the deployment has ended, by the time of the log.
	Kept time.Duration
}

// SlotID is the id of the slot of a colour, or of the stateful services.
func SlotID(environment, colour string) string {
	return environment + "-" + cmp.Or(colour, "base")
}

// Defaults of a policy.
const (
	defaultPull  = 10 * time.Minute
	defaultStart = 5 * time.Minute
	defaultDrain = 10 * time.Minute
	defaultPause = 5 * time.Minute
	defaultWarm  = 24 * time.Hour
)

func seconds(n int, otherwise time.Duration) time.Duration {
	if n > 0 {
		return time.Duration(n) * time.Second
	}
	return otherwise
}

// StepsOf are the parts of the traffic that a new colour gets.
func StepsOf(p events.DeployPolicy) []int {
	if len(p.Steps) == 0 {
		return []int{50}
	}
	return p.Steps
}

// Deadline is how long a step may take until somebody is told; 0 for one that waits for people.
func (s *State) Deadline() time.Duration {
	d := s.Request.Policy.Deadlines
	switch s.Step {
	case Pulling:
		return seconds(d.Pull, defaultPull)
	case Starting, Ready, Returning:
		return seconds(d.Start, defaultStart)
	case Draining, Leaving:
		return seconds(d.Drain, defaultDrain)
	}
	return 0
}

// Due is the event that follows from what hosts see, nil for none. Judging a request is
// not among it.
func Due(s State, w Watch) events.Payload {
	of := s.Of
	switch s.Step {
	case Pulling:
		if f := s.fatal(w); f != nil {
			return *f
		}
		if left := s.waiting(w, s.In(), pulled); len(left) == 0 {
			return events.DeploymentPulled{DeploymentOf: of, Hosts: s.ids(s.In())}
		}
	case Starting:
		if f := s.fatal(w); f != nil {
			return *f
		}
		if left := slices.Concat(s.waiting(w, s.In(), healthy), s.waiting(w, "", healthy)); len(left) == 0 {
			return events.DeploymentHealthy{DeploymentOf: of, Colour: s.In(), Hosts: s.ids(s.In())}
		}
	case Ready:
		if f := s.fatal(w); f != nil {
			return *f
		}
		if len(s.waiting(w, s.In(), healthy)) > 0 {
			break
		}
		if !s.Replaces() || s.Request.Kind == events.DeployRollback {
			return events.DeploymentPromoted{DeploymentOf: of}
		}
		return s.shift(StepsOf(s.Request.Policy)[0])
	case Shifting, Held:
		if p := s.measured(w); p != nil {
			return p
		}
	case Draining:
		if left := s.waiting(w, s.Out(), drained); len(left) == 0 {
			return events.DeploymentFinished{DeploymentOf: of, Outcome: events.DeploymentWasPromoted}
		}
	case Returning:
		if left := s.waiting(w, s.Out(), healthy); len(left) == 0 {
			return events.DeploymentHealthy{DeploymentOf: of, Colour: s.Out(), Hosts: s.ids(s.Out())}
		}
	case Leaving:
		if left := s.waiting(w, s.In(), drained); len(left) == 0 {
			return events.DeploymentFinished{DeploymentOf: of, Outcome: s.Outcome}
		}
	case Ended:
		for _, colour := range []string{hosting.Blue, hosting.Green} {
			if side := s.Sides[colour]; side.Phase == hosting.Keep && w.Kept >= seconds(s.Request.Policy.Warm, defaultWarm) {
				return events.DeploymentTornDown{DeploymentOf: of, Colour: colour, Release: side.Release}
			}
		}
	}
	return s.overdue(w)
}

// shift is the event that gives the new colour a part.
func (s *State) shift(share int) events.Payload {
	steps := StepsOf(s.Request.Policy)
	return events.DeploymentShifted{DeploymentOf: s.Of, Share: share, Held: share >= steps[len(steps)-1]}
}

// measured is what follows from gates while the new colour has a part of the traffic. What
// is inconclusive neither promotes nor goes back.
func (s *State) measured(w Watch) events.Payload {
	p := s.Request.Policy
	if failing := s.Failing(); len(failing) > 0 {
		if p.RollBack {
			return events.DeploymentRolledBack{DeploymentOf: s.Of, Gate: failing[0], Reason: s.Gates[failing[0]].Reason}
		}
		return nil
	}
	if w.Stale || len(s.Open()) > 0 || len(s.waiting(w, s.In(), healthy)) > 0 {
		return nil
	}
	if s.Step == Held {
		if p.Automatic > 0 && w.Elapsed(s.GatesSince) >= seconds(p.Automatic, 0) {
			return events.DeploymentPromoted{DeploymentOf: s.Of}
		}
		return nil
	}
	if w.Elapsed(s.GatesSince) < seconds(p.Pause, defaultPause) {
		return nil
	}
	for _, share := range StepsOf(p) {
		if share > s.Sides[s.In()].Share {
			return s.shift(share)
		}
	}
	return nil
}

func (s *State) overdue(w Watch) events.Payload {
	deadline := s.Deadline()
	if deadline == 0 || s.Overdue != nil || w.Early || w.Elapsed(s.Since) < deadline {
		return nil
	}
	hosts, why := s.Waits(w)
	return events.DeploymentOverdue{DeploymentOf: s.Of, Step: string(s.Step), Hosts: hosts, Why: why}
}

// Waits are the hosts that the step waits for, and what they say.
func (s *State) Waits(w Watch) (hosts []events.PlacedHost, why string) {
	colour, done := s.In(), healthy
	switch s.Step {
	case Pulling:
		done = pulled
	case Starting, Ready:
		hosts = s.waiting(w, "", healthy)
	case Shifting, Held:
	case Draining:
		colour, done = s.Out(), drained
	case Returning:
		colour = s.Out()
	case Leaving:
		done = drained
	default:
		return nil, ""
	}
	for _, h := range s.waiting(w, colour, done) {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	sides := []string{colour}
	if s.Step == Starting || s.Step == Ready {
		sides = append(sides, "")
	}
	return hosts, s.said(w, hosts, sides...)
}

// maxSaid bounds the hosts whose reports are quoted: nobody would read those of 200.
const maxSaid = 3

// said is what hosts say of why sides are not there yet.
func (s *State) said(w Watch, hosts []events.PlacedHost, sides ...string) string {
	var said []string
	for k, h := range hosts {
		if len(said) >= maxSaid {
			said = append(said, fmt.Sprintf("and %d more hosts", len(hosts)-k))
			break
		}
		o, heard := w.Hosts[h.Machine]
		switch {
		case w.Revoked[h.Machine]:
			said = append(said, h.Name+" was revoked, and does not come back: exclude it")
		case !heard:
			said = append(said, h.Name+" does not answer")
		case o.Engine.Error != "":
			said = append(said, h.Name+": its engine does not answer: "+cut(o.Engine.Error))
		default:
			for _, of := range sides {
				if seen, ok := s.seen(w, h, of); ok && seen.Error != "" {
					said = append(said, h.Name+": "+cut(seen.Error))
				}
			}
		}
	}
	return strings.Join(said, "; ")
}

func cut(s string) string {
	return strings.ToValidUTF8(fmt.Sprintf("%.500s", s), "")
}

// waiting are the hosts of a side that are not there yet.
func (s *State) waiting(w Watch, colour string, done func(Side, hosting.Seen) bool) (left []events.PlacedHost) {
	side := s.Sides[colour]
	if !side.there() {
		return nil
	}
	for _, h := range Hosts(side.Placement) {
		if slices.Contains(s.Excluded, h) {
			continue
		}
		if seen, ok := s.seen(w, h, colour); !ok || !done(side, seen) {
			left = append(left, h)
		}
	}
	return left
}

// seen is what a host says of a side as it is to be now. While its engine does not answer
// that is as it was before, and counts for nothing.
func (s *State) seen(w Watch, h events.PlacedHost, colour string) (hosting.Seen, bool) {
	side := s.Sides[colour]
	if w.Hosts[h.Machine].Engine.Error != "" {
		return hosting.Seen{}, false
	}
	for _, seen := range w.Hosts[h.Machine].Slots {
		if seen.ID == SlotID(s.Of.Environment, colour) && seen.Deployment == side.Deployment && seen.Fence >= side.Began {
			return seen, true
		}
	}
	return hosting.Seen{}, false
}

func pulled(_ Side, seen hosting.Seen) bool {
	for _, i := range seen.Images {
		if !i.Pulled {
			return false
		}
	}
	return seen.Phase != ""
}

func healthy(_ Side, seen hosting.Seen) bool { return seen.Phase == hosting.Run && seen.Healthy }

func drained(_ Side, seen hosting.Seen) bool {
	return (seen.Phase == hosting.Drain || seen.Phase == hosting.Keep) && seen.Drained
}

// ids are the machines of a side that count.
func (s *State) ids(colour string) (list []string) {
	for _, h := range Hosts(s.Sides[colour].Placement) {
		if !slices.Contains(s.Excluded, h) {
			list = append(list, h.Machine)
		}
	}
	return list
}

// fatal is the failure of a host that cannot bring the new colour up, or the stateful services
// of its release.
func (s *State) fatal(w Watch) *events.DeploymentFailed {
	for _, colour := range []string{s.In(), ""} {
		side := s.Sides[colour]
		if side.Deployment != s.Of.Deployment {
			continue // its stateful services are still those of before
		}
		for _, h := range Hosts(side.Placement) {
			if seen, ok := s.seen(w, h, colour); ok && seen.Fatal && !slices.Contains(s.Excluded, h) {
				return s.failure(h, seen)
			}
		}
	}
	return nil
}

func (s *State) failure(h events.PlacedHost, seen hosting.Seen) *events.DeploymentFailed {
	f := &events.DeploymentFailed{DeploymentOf: s.Of, Host: h, Reason: cmp.Or(cut(seen.Error), "the host cannot go on")}
	for _, i := range seen.Images {
		if i.Error != "" {
			f.Service = i.Service
		}
	}
	for _, c := range seen.Containers {
		if c.ExitCode != 0 || c.Health == "unhealthy" || c.State == "exited" {
			f.Service, f.ExitCode, f.Log, f.HealthLog = c.Service, c.ExitCode, tail(c.Log), tail(c.HealthLog)
			break
		}
	}
	return f
}

// maxTail bounds what an event has of a log.
const maxTail = 4 << 10

func tail(s string) string {
	if len(s) > maxTail {
		s = s[len(s)-maxTail:]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
