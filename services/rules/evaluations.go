package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/process"
)

// evaluations is the process manager that records what the rules of repositories make of
// each ref that moved: one push.evaluated of the ref and the repository. Of moves
// that followed each other before it came to them only the last one counts, as for a
// sweep. Which files changed is not known before the commit was fetched, so that path
// filters are left to the build.
func evaluations(read builds.Reader, view process.View) process.Manager {
	return process.Manager{
		Name:   "push-evaluations",
		Source: "/rules",
		// Rules and settings make refs due that were there when their source was linked.
		Wakes: []string{"ref.moved.v1", "rules.set.v1", "source.changed.v1", "repository.restored.v1"},
		View:  view,
		Due: func(ctx context.Context, _ time.Time) ([]process.Task, error) {
			due, err := read.DuePushes(ctx, process.MaxDue)
			tasks := make([]process.Task, len(due))
			for i, p := range due {
				tasks[i] = process.Task{Key: p.Repository + "/" + p.Move, Cause: p.Move, Correlation: p.Correlation}
			}
			return tasks, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			repository, move, ok := strings.Cut(t.Key, "/")
			if !ok {
				return nil, fmt.Errorf("%q names no push", t.Key)
			}
			p, err := read.DuePush(ctx, repository, move)
			if errors.Is(err, builds.ErrNotFound) {
				return nil, nil // the ref has moved again, or the rules are for another source
			}
			if err != nil {
				return nil, err
			}
			ref, err := buildrule.ParseRef(p.Ref)
			if err != nil {
				return nil, err
			}
			ref.Commit = p.Commit
			return &process.Completion{Event: events.PushEvaluated{Namespace: p.Namespace, Repository: p.Repository, Name: p.Name, Source: p.Source, Ref: p.Ref,
				Commit: p.Commit, Previous: p.Previous, RulesEvent: p.RulesEvent, Verdicts: buildrule.Evaluate(p.Rules, ref)}}, nil
		},
	}
}
