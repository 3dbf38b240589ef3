package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/internal/process"
)

// publishing is the process manager that sets the tags of an image that was built, and
// so ends its build. A tag is set only while the commit is still that of its ref: a
// build of an older one that ends late takes nothing from a newer one.
func (s *Builder) publishing() process.Manager {
	return process.Manager{
		Name:     "build-tags",
		Source:   source,
		Wakes:    []string{"build.pushed.v1"},
		Parallel: 4,
		View:     s.View,
		Due: func(ctx context.Context, _ time.Time) ([]process.Task, error) {
			pushed, err := s.Read.InState(ctx, builds.Pushed)
			tasks := make([]process.Task, len(pushed))
			for k, b := range pushed {
				tasks[k] = process.Task{Key: b.ID, Cause: b.Event, Correlation: b.Correlation}
			}
			return tasks, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			b, err := s.Read.Build(ctx, t.Key)
			if err != nil {
				return nil, err
			}
			if b.State != builds.Pushed {
				return nil, nil // somebody cancelled it
			}
			end, err := s.publish(ctx, b)
			if err != nil {
				return nil, err
			}
			return &process.Completion{Event: *end}, nil
		},
	}
}

// publish sets the tags of a build and says how it ends.
func (s *Builder) publish(ctx context.Context, b *builds.Build) (*events.BuildFinished, error) {
	end := &events.BuildFinished{Namespace: b.Namespace, Build: b.ID, Epoch: b.Epoch, Outcome: events.BuildSucceeded, Digest: b.End.Digest}
	ref, err := s.Read.Ref(ctx, b.Source, b.Ref)
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return nil, err
	}
	if ref != nil && ref.Commit != "" && ref.Commit != b.Commit {
		end.Outcome, end.Detail = events.BuildSuperseded, fmt.Sprintf("%s is at the newer commit %.12s", b.Ref, ref.Commit)
		for _, tag := range b.Tags {
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: end.Detail})
		}
		return end, nil
	}
	rules, err := s.Read.Rules(ctx, b.Repository)
	if err != nil {
		return nil, err
	}
	by := command.By{Source: source, Actor: "system", Cause: b.Event, Correlation: b.Correlation}
	for _, tag := range b.Tags {
		err := s.Tags.Tag(ctx, by, rules.Name, tag, digest.Digest(b.End.Digest))
		var immutable *image.ImmutableError
		switch {
		case err == nil:
			end.Tags = append(end.Tags, tag)
		case errors.As(err, &immutable), errors.Is(err, images.ErrNotFound):
			end.Refused = append(end.Refused, events.BuildTag{Tag: tag, Why: err.Error()})
		default:
			return nil, err
		}
	}
	if len(end.Tags) == 0 && len(b.Tags) > 0 {
		end.Outcome, end.Reason, end.Detail = events.BuildFailed, "tags-refused", "no tag could be set: "+end.Refused[0].Why
	}
	return end, nil
}
