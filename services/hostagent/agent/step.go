package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"hubledger/services/internal/hosting"
)

const (
	lookEvery  = 2 * time.Second
	soon       = 300 * time.Millisecond // when something is on its way
	maxBackoff = 30 * time.Second
	// settle is how long after a drain has begun balancers surely send nothing new.
	settle = 3 * time.Second
)

// A step is one look at a slot, and what follows from it.
type step struct {
	*slot
	ctx     context.Context
	t       *hosting.Slot
	have    map[string]found // by name
	seen    *hosting.Seen
	pending bool // something is on its way
}

// step brings the slot nearer to what it is to be, and returns when to look again.
func (s *slot) step(ctx context.Context, t *hosting.Slot) time.Duration {
	before, _ := s.look()
	now := &step{slot: s, ctx: ctx, t: t, seen: &hosting.Seen{ID: t.ID, Deployment: t.Deployment, Fence: t.Fence, Sessions: -1, Requests: -1, Images: imagesOf(t)}}
	err := now.list()
	if err == nil {
		err = now.fenced()
	}
	if err == nil {
		if err = now.reach(); err == nil || !isSuperseded(ctx, err) {
			if seeing := now.observe(before); seeing != nil { // the engine has gone away meanwhile
				now.seen.Containers, err = before.Containers, errors.Join(err, seeing)
			}
		}
	} else if ctx.Err() == nil { // the engine does not answer: what was seen last stands
		before.Error, before.Fatal = shortened(err.Error(), maxError), false
		s.saw(before)
		s.failed++
		return s.backoff()
	}
	if isSuperseded(ctx, err) {
		return 0
	}
	if err != nil {
		now.seen.Error, now.seen.Fatal = shortened(err.Error(), maxError), isFatal(err)
		now.seen.Healthy = false
		s.saw(*now.seen)
		s.failed++
		return s.backoff()
	}
	s.failed = 0
	s.saw(*now.seen)
	switch {
	case now.pending:
		return soon
	case t.Phase == hosting.Run && !now.seen.Healthy || len(s.streaks) > 0:
		return s.Times.Probe
	}
	return lookEvery
}

// isSuperseded says whether a step was ended because the slot is to be something else.
func isSuperseded(ctx context.Context, err error) bool { return err != nil && ctx.Err() != nil }

func (s *slot) backoff() time.Duration { return min(time.Second<<min(s.failed-1, 10), maxBackoff) }

// list looks which containers the slot has.
func (s *step) list() error {
	all, err := s.containers(s.ctx, s.id)
	if err != nil {
		return fmt.Errorf("the container engine: %w", err)
	}
	s.have = map[string]found{}
	for _, f := range all[s.id] {
		s.have[containerName(s.id, f.service, f.index)] = f
	}
	return nil
}

// fenced refuses a slot that is older than one of its containers.
func (s *step) fenced() error {
	generation := s.store.state().Generation
	for name, f := range s.have {
		if f.generation == generation && f.fence > s.t.Fence {
			return fmt.Errorf("the container %s is of fence %d, and the hub wants %d: %w", name, f.fence, s.t.Fence, errLower)
		}
	}
	return nil
}

// reach does what the phase asks for.
func (s *step) reach() error {
	switch s.t.Phase {
	case hosting.Pull:
		if err := s.pullAll(); err != nil {
			return err
		}
		s.seen.Phase = hosting.Pull
		return nil
	case hosting.Run:
		if err := s.pullAll(); err != nil {
			return err
		}
		s.drained = time.Time{}
		s.seen.Phase = hosting.Pull
		if err := s.runAll(); err != nil {
			return err
		}
		if !s.pending {
			s.seen.Phase = hosting.Run
		}
		return nil
	case hosting.Drain, hosting.Keep:
		return s.drain()
	}
	return &fatalError{fmt.Errorf("%q is no phase that this agent knows: it is older than the hub", s.t.Phase)}
}

// pullAll pulls the images that the engine lacks.
func (s *step) pullAll() error {
	var last time.Time
	for k := range s.t.Services {
		image, seen := s.t.Services[k].Pull, &s.seen.Images[k]
		there, err := s.has(s.ctx, image)
		if err == nil && !there {
			err = s.pull(s.ctx, image, s.t.Services[k].Outside, func(bytes, total int64) {
				seen.Bytes, seen.Total = bytes, total
				if time.Since(last) > apart {
					last = time.Now()
					out := *s.seen
					out.Images = append([]hosting.SeenImage(nil), s.seen.Images...)
					before, _ := s.look()
					out.Containers = before.Containers
					s.saw(out)
				}
			})
		}
		if err != nil {
			seen.Error = shortened(err.Error(), maxError)
			return fmt.Errorf("the image of %s: %w", s.t.Services[k].Name, err)
		}
		seen.Pulled = true
	}
	return nil
}

// runAll has as many containers of each service run as there are to be.
func (s *step) runAll() error {
	if err := s.surround(s.ctx, s.t); err != nil {
		return err
	}
	wanted := map[string]bool{}
	services := map[string]bool{}
	for _, service := range inOrder(s.t) {
		services[service.Name] = true
		if service.Run > 1 && portOf(s.t, service) > 0 {
			return &fatalError{fmt.Errorf("the web service %s is to run %d times on this host, and has one port: set deploy.replicas to 1 and add hosts", service.Name, service.Run)}
		}
		for index := range service.Run {
			p, err := s.specOf(s.t, service, index, s.store.state().Generation)
			if err != nil {
				return &fatalError{fmt.Errorf("%s: %w", service.Name, err)}
			}
			wanted[p.name] = true
			if err := s.ensure(p); err != nil {
				return fmt.Errorf("%s: %w", service.Name, err)
			}
		}
	}
	for name, f := range s.have {
		switch {
		case wanted[name]:
		case f.running():
			s.end(f)
		case !services[f.service]:
			if err := s.remove(s.ctx, f.id, disposable(s.id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ensure has one container run. An unchanged one is left alone.
func (s *step) ensure(p *spec) error {
	f, there := s.have[p.name]
	switch {
	case there && s.stopping(f.id):
		s.pending = true
		return nil
	case there && f.hash != p.config.Labels[labelHash]:
		if f.running() {
			s.end(f)
			s.pending = true
			return nil
		}
		if err := s.remove(s.ctx, f.id, disposable(s.id)); err != nil {
			return err
		}
		there = false
	case there && f.running():
		return s.again(f.id)
	}
	id := f.id
	if !there {
		var err error
		if id, err = s.create(s.ctx, p); err != nil {
			return err
		}
	} else if err := s.policy(s.ctx, id, container.RestartPolicyUnlessStopped); err != nil {
		return err
	}
	s.setPolicy(id, true)
	if known := s.trials[p.name]; known == nil || known.container != short(id) || known.fence != s.t.Fence {
		s.try(p.name, id, s.t.Fence)
	}
	if err := s.start(s.ctx, id); err != nil {
		return startError(err)
	}
	return nil
}

// again has the engine start a container again that was about to be stopped when the agent
// was killed, or the hub changed its mind.
func (s *step) again(id string) error {
	if s.policies[id] {
		return nil
	}
	if err := s.policy(s.ctx, id, container.RestartPolicyUnlessStopped); err != nil {
		return err
	}
	s.setPolicy(id, true)
	return nil
}

// startError says which errors of a start stay.
func startError(err error) error {
	text := err.Error()
	for _, known := range []string{"port is already allocated", "address already in use", "executable file not found", "no such file or directory", "permission denied", "is a directory"} {
		if strings.Contains(text, known) {
			return &fatalError{fmt.Errorf("it cannot be started: %w", err)}
		}
	}
	return fmt.Errorf("it cannot be started: %w", err)
}

// drain stops workers at once, and what takes requests when its sessions have ended.
func (s *step) drain() error {
	if s.drained.IsZero() {
		s.drained = time.Now()
	}
	for k := range s.seen.Images {
		there, err := s.has(s.ctx, s.t.Services[k].Pull)
		if err != nil {
			return err
		}
		s.seen.Images[k].Pulled = there
	}
	web, running := map[string]bool{}, false
	for k := range s.t.Services {
		web[s.t.Services[k].Name] = portOf(s.t, &s.t.Services[k]) > 0
	}
	for _, f := range s.have {
		running = running || f.running()
	}
	now := s.load(s.ctx, s.t)
	if now.known {
		s.seen.Sessions, s.seen.Requests = now.sessions, now.requests
	}
	since := time.Since(s.drained)
	patience := s.Times.Unknown
	if now.silent { // it may have sessions
		patience = s.Times.Deadline
	}
	quiet := now.known && now.sessions == 0 && since >= min(settle, s.Times.Unknown) || !now.known && since >= patience
	if running && (now.sessions > 0 || now.silent) && since >= s.Times.Deadline {
		if err := s.shutdownSessions(s.ctx, s.t); err != nil {
			s.Logger.Warn("sessions that are still open at the end of a drain are not ended", "slot", s.id, "error", err)
		}
		quiet = true
	}
	for _, f := range s.have {
		if !f.running() {
			continue
		}
		s.pending = true
		if s.policies[f.id] || !s.policed(f.id) {
			if err := s.policy(s.ctx, f.id, container.RestartPolicyDisabled); err != nil {
				return err
			}
			s.setPolicy(f.id, false)
		}
		if !web[f.service] || quiet {
			s.end(f)
		}
	}
	if !running {
		s.seen.Phase, s.seen.Drained = s.t.Phase, s.seen.Sessions <= 0
	}
	return nil
}

// removing removes a slot: its containers, its networks and then its images.
func (s *slot) removing(ctx context.Context) time.Duration {
	before, shown := s.look()
	now := &step{slot: s, ctx: ctx, t: &hosting.Slot{ID: s.id}, seen: &before}
	err := now.list()
	for _, f := range now.have {
		if err != nil {
			break
		}
		if !f.running() {
			err = s.remove(ctx, f.id, disposable(s.id))
			continue
		}
		now.pending = true
		if err = s.policy(ctx, f.id, container.RestartPolicyDisabled); err == nil {
			now.end(f)
		}
	}
	switch {
	case isSuperseded(ctx, err):
		return 0
	case err == nil && now.pending:
		s.failed = 0
		return soon
	case err == nil:
		err = s.forsake(ctx, s.id, s.lastOf(environmentOf(s.id)))
	}
	if err != nil {
		if ctx.Err() != nil {
			return 0
		}
		if shown {
			before.Error = shortened(err.Error(), maxError)
			s.saw(before)
		}
		s.failed++
		return s.backoff()
	}
	s.failed = 0
	s.saw(hosting.Seen{})
	s.clean(ctx)
	return maxBackoff
}

// lastOf says whether an environment has no slot left here.
func (a *Agent) lastOf(environment string) bool {
	for _, t := range a.store.state().Slots {
		if environmentOf(t.ID) == environment {
			return false
		}
	}
	return true
}
