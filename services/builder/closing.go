package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/build"
	"hubledger/services/internal/process"
)

// closing is the process manager that cancels the builds of pull requests that were
// closed while they waited.
func (s *Builder) closing() process.Manager {
	return process.Manager{
		Name:   "closed-pull-requests",
		Source: source,
		// A build may be queued, or wait again, when its pull request is closed already.
		Wakes: []string{"pull_request.changed.v1", "build.queued.v1", "build.lost.v1"},
		View:  s.View,
		Due: func(ctx context.Context, _ time.Time) ([]process.Task, error) {
			waiting, err := s.Read.WaitingOfClosed(ctx)
			return tasksOf(waiting), err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			b, err := s.Read.Build(ctx, t.Key)
			if err != nil {
				return nil, err
			}
			if b.State != builds.Waiting {
				return nil, nil
			}
			seq, err := build.End(ctx, s.Events, system(b), idOf(b), events.BuildFinished{Outcome: events.BuildCancelled, Detail: fmt.Sprintf("the pull request %d was closed", b.Pull.Number)})
			if errors.Is(err, build.ErrEnded) {
				return nil, nil
			}
			if err == nil {
				err = s.View.Wait(ctx, seq)
			}
			return nil, err
		},
	}
}

// tasksOf is one task of each build, by its latest event.
func tasksOf(list []builds.Build) []process.Task {
	tasks := make([]process.Task, len(list))
	for k, b := range list {
		tasks[k] = process.Task{Key: b.ID, Cause: b.Event, Correlation: b.Correlation}
	}
	return tasks
}
