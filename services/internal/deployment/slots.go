package deployment

import (
	"slices"

	"hubledger/events"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
)

// A Plan is what a side is to be on one host, without what the release says of services.
type Plan struct {
	Colour string
	Side
	Live int // hosts of the side that take traffic
	// Gone: the host is to remove it.
	Gone bool
}

// Plans are those of one host. It has a plan, to remove it, for every side that there was: a host
// that was away may still have it.
func Plans(s State, machine string) (list []Plan) {
	for _, colour := range []string{hosting.Blue, hosting.Green, ""} {
		side := s.Sides[colour]
		if side.Fence == 0 {
			continue
		}
		p := Plan{Colour: colour, Side: side, Live: len(side.Placement.Web)}
		p.Gone = side.Phase == Gone || !slices.ContainsFunc(Hosts(side.Placement), func(h events.PlacedHost) bool { return h.Machine == machine })
		list = append(list, p)
	}
	return list
}

// Run is how many containers of a service a host runs of a side now.
func Run(s State, colour string, service compose.Service, machine string) int {
	side := s.Sides[colour]
	if side.Phase != hosting.Run {
		return 0
	}
	switch service.Role.Kind {
	case compose.Web:
		return there(side.Placement.Web, machine)
	case compose.Stateful:
		return there(side.Placement.Stateful, machine) * service.Replicas
	}
	place := slices.IndexFunc(side.Placement.Worker, func(h events.PlacedHost) bool { return h.Machine == machine })
	if place < 0 {
		return 0
	}
	hosts := len(side.Placement.Worker)
	all := service.Replicas * hosts
	part := workers(s, colour, service, all, hosts)
	n := part / hosts
	if place < part%hosts {
		n++
	}
	return n
}

func there(list []events.PlacedHost, machine string) int {
	if slices.ContainsFunc(list, func(h events.PlacedHost) bool { return h.Machine == machine }) {
		return 1
	}
	return 0
}

// workers is the part that a colour has of all containers of a worker: as many as it has
// of the traffic, but one at least. What gets all traffic straight from Ready has to have run
// before: all of it when it replaces nothing, one on each host when somebody goes back. A
// worker that may run once only changes over when the colour that had it is drained.
func workers(s State, colour string, service compose.Service, all, hosts int) int {
	share := s.Sides[colour].Share
	if colour == s.In() && (s.Step == Starting || s.Step == Ready) && !service.Role.Once {
		switch {
		case !s.Replaces():
			return all
		case s.Request.Kind == events.DeployRollback:
			return min(all, hosts)
		}
	}
	if service.Role.Once {
		if s.once() != colour {
			return 0
		}
		return all
	}
	switch {
	case share == 0 || all == 0:
		return 0
	case share == 100:
		return all
	}
	in := max(1, min(all, (all*s.Sides[s.In()].Share+50)/100))
	if colour == s.In() {
		return in
	}
	return max(1, all-in)
}

// once is the colour that has the workers that run once only, "" while they change over.
func (s *State) once() string {
	switch s.Step {
	case Draining, Returning:
		return "" // the one has gone, the other one is not drained yet
	case Shifting, Held, Pulling, Starting, Ready, Requested, Leaving:
		if s.Replaces() {
			return s.Out()
		}
		return s.In() // there is nothing beside it
	}
	return s.Live()
}
