package agent

import "maps"

// end has a container stopped, in the background: its own grace may be long, and a slot
// is looked at meanwhile.
func (s *slot) end(f found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stops[f.id] {
		return
	}
	s.stops = with(s.stops, f.id, true)
	s.work.Go(func() {
		err := s.Agent.stop(s.Agent.ctx, f.id)
		if err != nil && s.Agent.ctx.Err() == nil {
			s.Logger.Warn("a container is not stopped; it is tried again", "container", containerName(s.id, f.service, f.index), "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stops = maps.Clone(s.stops)
		delete(s.stops, f.id)
		select {
		case s.changed <- struct{}{}:
		default:
		}
	})
}

// stopping says whether a container is being stopped.
func (s *slot) stopping(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stops[id]
}

// setPolicy takes note that the engine starts a container again, or does not. policed says
// whether that is known: the agent may have been started since.
func (s *slot) setPolicy(id string, again bool) {
	if s.policies == nil {
		s.policies = map[string]bool{}
	}
	s.policies[id] = again
}

func (s *slot) policed(id string) bool {
	_, known := s.policies[id]
	return known
}

func with(of map[string]bool, id string, value bool) map[string]bool {
	out := maps.Clone(of)
	if out == nil {
		out = map[string]bool{}
	}
	out[id] = value
	return out
}
