package builder

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/build"
	"hubledger/services/internal/process"
)

// queueing is the process manager that queues the builds that rules ask for: one of
// each push and rule.
func (s *Builder) queueing() process.Manager {
	return process.Manager{
		Name:   "build-queue",
		Source: source,
		// A build that begins or ends makes room for others of its namespace.
		Wakes:    []string{"push.evaluated.v1", "build.claimed.v1", "build.finished.v1"},
		Parallel: 8,
		View:     s.View,
		Due: func(ctx context.Context, _ time.Time) ([]process.Task, error) {
			wanted, err := s.Read.WantedBuilds(ctx, build.MaxWaiting, process.MaxDue)
			var tasks []process.Task
			for _, w := range wanted {
				_, err := s.Read.Build(ctx, buildOf(w.Push, w.Rule.Name))
				if errors.Is(err, builds.ErrNotFound) {
					tasks = append(tasks, process.Task{Key: w.Push + "/" + w.Rule.Name, Cause: w.Push, Correlation: w.Correlation})
				} else if err != nil {
					return nil, err
				}
			}
			return tasks, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			push, rule, _ := strings.Cut(t.Key, "/")
			w, err := s.Read.WantedBuild(ctx, push, rule)
			if errors.Is(err, builds.ErrNotFound) {
				return nil, nil // the ref has moved again
			}
			if err != nil {
				return nil, err
			}
			return &process.Completion{Event: events.BuildQueued{Namespace: w.Namespace, Repository: w.Repository, Build: buildOf(push, rule), Source: w.Source, Ref: w.Ref, Kind: w.Kind,
				Commit: w.Commit, Rule: w.Rule, Tags: w.Tags, Test: w.Test, Untrusted: w.Untrusted, FromFile: w.FromFile, PullRequest: w.Pull}}, nil
		},
	}
}

// buildOf is the id of the build that a push leads to by a rule.
func buildOf(push, rule string) string {
	space, err := uuid.Parse(push)
	if err != nil {
		space = uuid.Nil
	}
	return uuid.NewSHA1(space, []byte(rule)).String()
}
