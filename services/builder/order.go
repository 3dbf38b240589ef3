package builder

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/queue"
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
		list[k] = queue.Waiting{Hooks: b.Hooks, Build: b.ID, Namespace: b.Namespace, Seq: b.Seq, Untrusted: b.Untrusted, Platforms: b.Rule.Platforms, Needs: needs}
	}
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
