package builder

import (
	"context"
	"errors"
	"sync"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/queue"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/command"
)

const (
	// perNamespace is how many builds of one namespace run at once.
	perNamespace = 4
	// forksPerNamespace is how many of them may be tests of forks: whoever opens pull requests
	// does not hold up those who push.
	forksPerNamespace = 2
)

// order puts the builds that wait in the order in which they come.
func (s *Builder) order(ctx context.Context, waiting, running []builds.Build, able []queue.Builder) ([]queue.Place, error) {
	list := make([]queue.Waiting, len(waiting))
	for k := range waiting {
		needs, err := s.needs(ctx, &waiting[k])
		if err != nil {
			return nil, err
		}
		b := waiting[k]
		hooks, err := s.hooks.of(ctx, s.Events, &b)
		if err != nil {
			return nil, err
		}
		list[k] = queue.Waiting{Hooks: hooks, Build: b.ID, Namespace: b.Namespace, Seq: b.Seq, Untrusted: b.Untrusted, Platforms: b.Rule.Platforms, Needs: needs}
	}
	s.hooks.keep(waiting)
	have := make([]queue.Running, len(running))
	for k, b := range running {
		have[k] = queue.Running{Build: b.ID, Namespace: b.Namespace, Builder: b.Builder, Untrusted: b.Untrusted}
	}
	return queue.Order(list, have, able, queue.Limits{PerNamespace: perNamespace, Untrusted: forksPerNamespace}), nil
}

// needs are the builds of the same push that a build waits for. A rule that asked for
// no build is not waited for.
func (s *Builder) needs(ctx context.Context, b *builds.Build) (list []queue.Need, err error) {
	if b.RetryOf != "" {
		return nil, nil
	}
	for _, rule := range b.Rule.Needs {
		_, err := s.Read.WantedBuild(ctx, b.Cause, rule)
		if errors.Is(err, builds.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := queue.Need{Build: buildOf(b.Cause, rule), Rule: rule}
		other, err := s.Read.Build(ctx, n.Build)
		if err != nil && !errors.Is(err, builds.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			n.Ended, n.Succeeded = other.State == builds.Ended, other.End.Outcome == events.BuildSucceeded
		}
		list = append(list, n)
	}
	return list, nil
}

// withHooks are the builds that a builder has given back because they have hooks. It
// remembers what the log says, by attempt.
type withHooks struct {
	mu    sync.Mutex
	known map[worker.Claim]bool
}

// of says whether a build that waits has hooks, as far as is known.
func (w *withHooks) of(ctx context.Context, log command.Log, b *builds.Build) (bool, error) {
	if b.Epoch == 0 {
		return false, nil // no builder had it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c := worker.Claim{Build: b.ID, Epoch: b.Epoch}
	if has, ok := w.known[c]; ok {
		return has, nil
	}
	last, _, err := command.Latest(ctx, log, events.BuildSubject(b.Namespace, b.ID))
	if err != nil {
		return false, err
	}
	lost, _ := last.(events.BuildLost)
	if w.known == nil {
		w.known = map[worker.Claim]bool{}
	}
	w.known[c] = lost.Lacks == events.LacksHooks
	return w.known[c], nil
}

// keep forgets all builds but those that wait.
func (w *withHooks) keep(waiting []builds.Build) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) <= len(waiting) {
		return
	}
	still := map[worker.Claim]bool{}
	for _, b := range waiting {
		if has, ok := w.known[worker.Claim{Build: b.ID, Epoch: b.Epoch}]; ok {
			still[worker.Claim{Build: b.ID, Epoch: b.Epoch}] = has
		}
	}
	w.known = still
}
