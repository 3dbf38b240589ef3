package builder

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/internal/build"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/process"
)

// Bounds of what the hub makes again by itself.
const (
	rebuildEvery = time.Hour // between two such builds of one ref by one rule
	rebuildRefs  = 20        // of a rule: those that were built last
	rebuildChain = 10        // images, each made from the one before it
	maxOnBases   = 10_000    // images that are compared at once, of all repositories
)

// rebuilding is the process manager that makes a build again when the tag of an image
// that it was made from names another image, if its rule wants that. Digests decide, not
// names: a tag that is pushed as it was leads to nothing.
func (s *Builder) rebuilding() process.Manager {
	return process.Manager{
		Name:     "base-rebuilds",
		Source:   source,
		Wakes:    []string{"build.finished.v1"},
		Woken:    s.imagesMoved,
		Parallel: 4,
		View:     s.View,
		Due: func(ctx context.Context, now time.Time) ([]process.Task, error) {
			due, err := s.rebuilds(ctx, now)
			tasks := make([]process.Task, len(due))
			for k, r := range due {
				tasks[k] = r.task
			}
			return tasks, err
		},
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			due, err := s.rebuilds(ctx, time.Now())
			for _, r := range due {
				if r.task.Key == t.Key {
					return &process.Completion{Event: r.event}, nil
				}
			}
			return nil, err // the ref, the rule or the image has moved on
		},
	}
}

// lookAfter is how long after an image has moved the builds that were made from it are
// looked for: once for all that move meanwhile.
const lookAfter = 100 * time.Millisecond

// ImagesCommitted is told of every commit of the read model of images: a tag may name
// another image. A consumer of the log would cost every push a message and an acknowledgement.
func (s *Builder) ImagesCommitted(c projections.Commit) {
	if c.Events != nil && !slices.ContainsFunc(c.Events, func(e events.Event) bool {
		return e.Type() == "image.pushed.v1" || e.Type() == "image.tagged.v1" || e.Type() == "tag.restored.v1"
	}) {
		return
	}
	if s.looking.CompareAndSwap(false, true) {
		time.AfterFunc(lookAfter, func() {
			s.looking.Store(false)
			select {
			case s.imagesMoved <- struct{}{}:
			default:
			}
		})
	}
}

// A rebuild is a build that is to be made again.
type rebuild struct {
	task  process.Task
	moved uint64 // sequence of the move of its ref
	event events.BuildQueued
}

// A place is what a tag of an image names.
type place struct {
	digest string
	event  *events.Event
}

// rebuilds are those that are due, in the order in which their refs moved.
func (s *Builder) rebuilds(ctx context.Context, now time.Time) (due []rebuild, err error) {
	rows, err := s.Read.OnBases(ctx, maxOnBases)
	if err != nil {
		return nil, err
	}
	places, refs := map[string]*place{}, map[string]int{}
	for len(rows) > 0 && len(due) < process.MaxDue {
		n := 1
		for n < len(rows) && rows[n].Build == rows[0].Build {
			n++
		}
		of := rows[:n]
		rows = rows[n:]
		rule := of[0].Repository + " " + of[0].Rule
		if refs[rule]++; refs[rule] > rebuildRefs {
			continue
		}
		base, at, err := s.moved(ctx, of, places)
		if err != nil {
			return nil, err
		}
		if at == nil {
			continue
		}
		r, err := s.rebuildOf(ctx, now, base, at)
		if err != nil {
			return nil, err
		}
		if r != nil {
			r.moved = of[0].Moved
			due = append(due, *r)
		}
	}
	slices.SortStableFunc(due, func(a, b rebuild) int { return cmp.Compare(a.moved, b.moved) })
	return due, nil
}

// moved is the image of a build that has changed last, and what its tag names now; nil
// when none has. places has what is known of tags.
func (s *Builder) moved(ctx context.Context, of []builds.OnBase, places map[string]*place) (base builds.OnBase, last *place, err error) {
	for _, o := range of {
		name := o.Base.Repository + ":" + o.Base.Tag
		at, known := places[name]
		if !known {
			d, e, err := s.Images.Tagged(ctx, o.Base.Repository, o.Base.Tag)
			switch {
			case err == nil:
				at = &place{d.String(), e}
			case !errors.Is(err, images.ErrNotFound):
				return base, nil, err
			}
			places[name] = at
		}
		if at != nil && at.digest != o.Base.Digest && (last == nil || at.event.Seq > last.event.Seq) {
			base, last = o, at
		}
	}
	return base, last, nil
}

// rebuildOf makes a build again because of an image that has changed; nil when that is
// not to be, or not now.
func (s *Builder) rebuildOf(ctx context.Context, now time.Time, of builds.OnBase, at *place) (*rebuild, error) {
	b, err := s.Read.Build(ctx, of.Build)
	if err != nil {
		return nil, err
	}
	if b.Rebuild != nil && now.Before(b.Queued.Add(rebuildEvery)) {
		return nil, nil // later, with what the tag names then
	}
	line := b.Repository + " " + b.Source + " " + b.Ref + " " + b.Rule.Name
	id := buildOf(at.event.ID(), line)
	if _, err := s.Read.Build(ctx, id); !errors.Is(err, builds.ErrNotFound) {
		return nil, err // it was made, well or not
	}
	if wanted, err := s.wantsRebuild(ctx, b); err != nil || !wanted {
		return nil, err
	}
	if n, err := s.Read.CountWaiting(ctx, b.Namespace); err != nil || n >= build.MaxWaiting {
		return nil, err
	}
	chain, err := s.chain(ctx, at.event)
	if err != nil || len(chain) > rebuildChain {
		return nil, err
	}
	for _, id := range chain {
		earlier, err := s.Read.Build(ctx, id)
		if err != nil {
			return nil, err
		}
		if line == earlier.Repository+" "+earlier.Source+" "+earlier.Ref+" "+earlier.Rule.Name {
			return nil, nil // a circle: the image changed because this one did
		}
	}
	return &rebuild{
		task: process.Task{Key: id, Cause: at.event.ID(), Correlation: at.event.Correlation()},
		event: events.BuildQueued{Namespace: b.Namespace, Repository: b.Repository, Build: id, Source: b.Source, Ref: b.Ref, Kind: b.Kind, Commit: b.Commit, Rule: b.Rule, Tags: b.Tags,
			FromFile: b.FromFile, RetryOf: of.Made, Hooks: b.Hooks, Rebuild: &events.BuildRebuild{Base: of.Base.Name, Was: of.Base.Digest, Now: at.digest, Chain: chain}},
	}, nil
}

// wantsRebuild says whether the repository has automated builds of that git source
// still, and the rule the same wish.
func (s *Builder) wantsRebuild(ctx context.Context, b *builds.Build) (bool, error) {
	rules, err := s.Read.Rules(ctx, b.Repository)
	if errors.Is(err, builds.ErrNotFound) {
		return false, nil
	}
	if err != nil || rules.Source != b.Source {
		return false, err
	}
	if b.FromFile {
		return rules.FromFile, nil // the commit has its rules, and is the same
	}
	return slices.ContainsFunc(rules.Rules, func(r events.BuildRule) bool {
		return r.Name == b.Rule.Name && r.Rebuild == buildrule.RebuildBase
	}), nil
}

// chain are the builds that led to the event of a tag, one after another: none when it
// was not set by a build.
func (s *Builder) chain(ctx context.Context, tagged *events.Event) ([]string, error) {
	parent, err := s.Read.ByEvent(ctx, tagged.Cause())
	if errors.Is(err, builds.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var chain []string
	if parent.Rebuild != nil {
		chain = append(chain, parent.Rebuild.Chain...)
	}
	return append(chain, parent.ID), nil
}
