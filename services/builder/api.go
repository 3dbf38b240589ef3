package builder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/queue"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type listIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

// shown is a build as the API shows it. place is where it waits; nil: it does not.
func shown(name string, b *builds.Build, place *queue.Place) apitypes.Build {
	v := apitypes.Build{ID: b.ID, Repository: name, Rule: b.Rule.Name, Ref: b.Ref, PullRequest: apitypes.ShownPull(b.Pull), Commit: b.Commit, Tags: b.Tags, Test: b.Test, RetryOf: b.RetryOf, State: b.State, Outcome: b.End.Outcome,
		Reason: b.End.Reason, Detail: b.End.Detail, Builder: b.Builder, Digest: b.End.Digest, Provenance: b.End.Provenance, Set: b.End.Tags, Queued: b.Queued, QueuedBy: b.Actor, Seq: b.Seq}
	if u := b.Upload; u != nil {
		v.Upload = &apitypes.BuildUpload{Digest: u.Digest, Size: u.Size}
	}
	if r := b.Rebuild; r != nil {
		v.Rebuild = &apitypes.Rebuild{Base: r.Base, Was: r.Was, Now: r.Now}
	}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	for _, t := range b.End.Refused {
		v.Refused = append(v.Refused, apitypes.BuildTag{Tag: t.Tag, Why: t.Why})
	}
	if !b.Claimed.IsZero() {
		v.Started = &b.Claimed
	}
	if b.State == builds.Ended {
		v.Ended = &b.Changed
	}
	if place != nil {
		v.Position, v.Reason, v.Detail = place.Position, string(place.Reason), place.Text
	}
	return v
}

// places are where builds wait, by id.
func (s *Builder) places(ctx context.Context) (map[string]*queue.Place, error) {
	waiting, err := s.Read.InState(ctx, builds.Waiting)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	running, err := s.Read.InState(ctx, builds.Running)
	if err != nil {
		return nil, err
	}
	list, err := s.order(ctx, waiting, running, s.stations.able(false))
	if err != nil {
		return nil, err
	}
	found := make(map[string]*queue.Place, len(list))
	for k := range list {
		found[list[k].Build] = &list[k]
	}
	return found, nil
}

// placed is a build as the API shows it, with its place in the queue.
func (s *Builder) placed(ctx context.Context, name string, b *builds.Build) (apitypes.Build, error) {
	var place *queue.Place
	if b.State == builds.Waiting {
		places, err := s.places(ctx)
		if err != nil {
			return apitypes.Build{}, err
		}
		place = places[b.ID]
	}
	return shown(name, b, place), nil
}

func (s *Builder) list(ctx context.Context, c *endpoint.Call, in *listIn) (*openapi.List[apitypes.Build], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Builds(ctx, c.Repository.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	var places map[string]*queue.Place
	if slices.ContainsFunc(all, func(b builds.Build) bool { return b.State == builds.Waiting }) {
		if places, err = s.places(ctx); err != nil {
			return nil, err
		}
	}
	views := make([]apitypes.Build, len(all))
	for k := range all {
		views[k] = shown(c.Repository.Name, &all[k], places[all[k].ID])
	}
	return openapi.Page(c, views, in.Limit, func(last apitypes.Build) string { return openapi.CursorAtSequence(last.Seq) }), nil
}

// find is the build that the path names, of the call's repository.
func (s *Builder) find(ctx context.Context, c *endpoint.Call, id string) (*builds.Build, error) {
	b, err := s.Read.Build(ctx, id)
	if errors.Is(err, builds.ErrNotFound) || err == nil && b.Repository != c.Repository.ID {
		return nil, build.ErrUnknown
	}
	return b, err
}

func (s *Builder) get(ctx context.Context, c *endpoint.Call, in *BuildPath) (*openapi.Answer[apitypes.BuildDetails], error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	return s.details(ctx, c.Repository.Name, b)
}

// details is a build of the repository of that name, with all that is known of it.
func (s *Builder) details(ctx context.Context, name string, b *builds.Build) (*openapi.Answer[apitypes.BuildDetails], error) {
	now, err := s.placed(ctx, name, b)
	if err != nil {
		return nil, err
	}
	steps, err := s.Read.Steps(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	view := apitypes.BuildDetails{Build: now, Scanner: b.Scanner, Steps: make([]apitypes.BuildStep, len(steps))}
	bases, err := s.Read.Bases(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	for _, of := range bases {
		view.Bases = append(view.Bases, apitypes.BuildBase(of))
	}
	for k, p := range steps {
		view.Steps[k] = apitypes.BuildStep{Attempt: p.Epoch, Number: p.Number, Kind: p.Kind, Name: p.Name, Began: p.Began, Took: p.Took.Seconds(), Cached: p.Cached, Failed: p.Failed}
	}
	return openapi.Show(view), nil
}

func (s *Builder) cancel(ctx context.Context, c *endpoint.Call, in *BuildPath) (*openapi.Change, error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	seq, err := build.End(ctx, s.Events, c.By(), idOf(b), events.BuildFinished{Outcome: events.BuildCancelled, Detail: c.Principal.Name + " has cancelled it"})
	return s.API.Changed(ctx, seq, err)
}

// againAs makes a build again: the same commit by the same rule.
func againAs(id string, b *builds.Build) events.BuildQueued {
	return events.BuildQueued{Namespace: b.Namespace, Repository: b.Repository, Build: id, Source: b.Source, Ref: b.Ref, Kind: b.Kind, Commit: b.Commit, Rule: b.Rule,
		Tags: b.Tags, Test: b.Test, Untrusted: b.Untrusted, FromFile: b.FromFile, PullRequest: b.Pull, RetryOf: b.ID, Hooks: b.Hooks}
}

func (s *Builder) retry(ctx context.Context, c *endpoint.Call, in *BuildPath) (*openapi.ChangeWith[apitypes.Build], error) {
	b, err := s.find(ctx, c, in.Build)
	if err != nil {
		return nil, err
	}
	if b.State != builds.Ended {
		return nil, build.ErrNotEnded
	}
	if n, err := s.Read.CountWaiting(ctx, b.Namespace); err != nil || n >= build.MaxWaiting {
		return nil, cmp.Or(err, build.ErrTooMany)
	}
	if b.Upload != nil {
		if _, err := s.sizeOf(ctx, c.Repository.Name, digest.Digest(b.Upload.Digest)); err != nil {
			return nil, err
		}
	}
	id, err := command.NewID()
	if err != nil {
		return nil, err
	}
	again := againAs(id, b)
	if b.Upload != nil {
		again.Upload = uploadBy(c, digest.Digest(b.Upload.Digest), b.Upload.Size)
	}
	by := c.By()
	by.Cause, by.Correlation = b.Event, b.Correlation
	seq, err := build.Queue(ctx, s.Events, by, again)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	queued := builds.Build{ID: id, Ref: b.Ref, Pull: b.Pull, Commit: b.Commit, Rule: b.Rule, Tags: b.Tags, Test: b.Test, RetryOf: b.ID, Upload: b.Upload, State: builds.Waiting, Queued: time.Now().UTC(), Actor: by.Actor, Seq: seq}
	return openapi.ShowChange(seq, shown(c.Repository.Name, &queued, nil)), nil
}
