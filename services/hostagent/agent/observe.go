package agent

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"hubledger/services/internal/hosting"
)

// observe looks at the containers of the slot, asks web services whether they are well, and
// says whether all that is to run does.
func (s *step) observe(before hosting.Seen) error {
	if err := s.list(); err != nil {
		return err
	}
	mask := maskOf(s.t)
	old := map[string]*hosting.SeenContainer{}
	for k := range before.Containers {
		c := &before.Containers[k]
		old[containerName(s.id, c.Service, c.Index)] = c
	}
	of := map[string]*hosting.SeenContainer{}
	for name, f := range s.have {
		if s.stopping(f.id) {
			// The engine does not tell how it is until all of it has ended, which may take seconds, and
			// other containers would wait for that: it is looked at then.
			if was := old[name]; was != nil {
				of[name] = was
			}
			continue
		}
		c, err := s.inspect(s.ctx, f, old[name], mask)
		if err != nil {
			return err
		}
		if c != nil {
			of[name] = c
		}
	}
	err := s.judge(of)
	if s.t.Phase == hosting.Run && s.t.Share > 0 && coloured(s.t) {
		if l := s.load(s.ctx, s.t); l.known {
			s.seen.Requests = l.requests
		}
	}
	for _, c := range of {
		s.seen.Containers = append(s.seen.Containers, *c)
	}
	slices.SortFunc(s.seen.Containers, func(x, y hosting.SeenContainer) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Index, y.Index))
	})
	s.seen.Healthy = s.t.Phase == hosting.Run && s.seen.Phase == hosting.Run && err == nil
	if err != nil {
		s.seen.Error, s.seen.Fatal = shortened(mask.String(err.Error()), maxError), isFatal(err)
	}
	return nil
}

// judge says what is not healthy of what is to run; nil when all is.
func (s *step) judge(of map[string]*hosting.SeenContainer) (wrong error) {
	probed := map[string]*streak{}
	defer func() { s.streaks = probed }()
	if s.t.Phase != hosting.Run {
		return nil
	}
	for k := range s.t.Services {
		service := &s.t.Services[k]
		for index := range service.Run {
			name := containerName(s.id, service.Name, index)
			c := of[name]
			if c != nil {
				s.tried(name, c)
			}
			err := s.well(service, name, c, probed)
			if err == nil {
				continue
			}
			err = s.hopeless(name, c, err)
			if fatal := isFatal(err); wrong == nil || fatal && !isFatal(wrong) {
				wrong = fmt.Errorf("%s: %w", service.Name, err)
			}
		}
	}
	return wrong
}

// well says why a container is not healthy.
func (s *step) well(service *hosting.SlotService, name string, c *hosting.SeenContainer, probed map[string]*streak) error {
	switch {
	case c == nil:
		return fmt.Errorf("its container %s is not there", name)
	case c.State != "running" && c.Restarts > 0 || c.State == "exited" || c.State == "dead":
		return fmt.Errorf("its container has ended with exit code %d, and was started again %d times", c.ExitCode, c.Restarts)
	case c.State != "running":
		return fmt.Errorf("its container is %s", c.State)
	}
	port := portOf(s.t, service)
	if port > 0 {
		of := s.streaks[name]
		if of == nil {
			of = &streak{}
		}
		probed[name] = of
		s.probe(s.ctx, s.t, service, c, of)
		if of.last != "" {
			return fmt.Errorf("%s", of.last)
		}
		if of.passed < passes {
			return fmt.Errorf("its probe has passed %d of %d times in a row", of.passed, passes)
		}
		// With all of the traffic before that, requests would find no server.
		if by := s.refused(s.ctx, s.t); by != "" {
			return fmt.Errorf("HAProxy (%s) holds it to be down still: its own checks have not passed", by)
		}
	}
	switch {
	case c.Health == "healthy" || c.Health == "" && port > 0:
		return nil
	case c.Health != "":
		return fmt.Errorf("its health check says %s", c.Health)
	case time.Since(c.Started) < s.Times.Steady:
		return fmt.Errorf("it has no health check, and is healthy once it has run for %s", s.Times.Steady)
	}
	return nil
}
