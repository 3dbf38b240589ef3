package builder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/queue"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
)

const (
	// look is how often the queue is looked through, and whether builders have lost
	// their builds.
	look = 300 * time.Millisecond
	// lookAgain is how soon after that it is when a builder asks for a build.
	lookAgain = 100 * time.Millisecond
)

// system signs what follows from a build.
func system(b *builds.Build) command.By {
	return command.By{Source: source, Actor: "system", Cause: b.Event, Correlation: b.Correlation}
}

// dispatch gives builds to builders until ctx ends.
func (s *Builder) dispatch(ctx context.Context) {
	told := false
	for ctx.Err() == nil {
		err := s.lookThrough(ctx)
		if err != nil && !told && ctx.Err() == nil {
			s.Logger.Warn("not every build can be given to a builder; it is tried again", "error", err)
		}
		told = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(look):
		case <-s.stations.asked:
			select {
			case <-ctx.Done():
			case <-time.After(lookAgain):
			}
		}
	}
}

// lookThrough ends what was lost, what was superseded and what waits in vain, and gives
// away what is next.
func (s *Builder) lookThrough(ctx context.Context) error {
	running, err := s.Read.InState(ctx, builds.Running)
	if err != nil {
		return err
	}
	for _, b := range s.stations.saw(running) {
		_, err := build.Lose(ctx, s.Events, system(&b), idOf(&b), b.Builder, b.Epoch, b.Losses)
		if err != nil && !errors.Is(err, build.ErrEpoch) && !errors.Is(err, build.ErrEnded) {
			return err
		}
	}
	able := s.stations.able(true)
	if len(able) == 0 {
		return nil // the whole queue is not looked through in vain
	}
	waiting, err := s.Read.InState(ctx, builds.Waiting)
	if err != nil || len(waiting) == 0 {
		return err
	}
	byID := map[string]*builds.Build{}
	for k := range waiting {
		byID[waiting[k].ID] = &waiting[k]
	}
	if err := s.supersede(ctx, waiting); err != nil {
		return err
	}
	places, err := s.order(ctx, waiting, running, able)
	if err != nil {
		return err
	}
	var errs []error // of one build: the others are given away all the same
	for _, p := range places {
		b, err := byID[p.Build], error(nil)
		switch p.Reason {
		case queue.NeedFailed:
			_, err = build.End(ctx, s.Events, system(b), idOf(b), events.BuildFinished{Outcome: events.BuildFailed, Reason: string(p.Reason), Detail: p.Text})
		case queue.Next:
			err = s.give(ctx, p.Builder, b)
		}
		if err != nil && !errors.Is(err, build.ErrEnded) && !errors.Is(err, build.ErrNotWaiting) {
			errs = append(errs, fmt.Errorf("the build %s: %w", b.ID, err))
		}
	}
	return errors.Join(errs...)
}

func idOf(b *builds.Build) build.ID {
	return build.ID{Namespace: b.Namespace, Build: b.ID, Repository: b.Repository}
}

// supersede ends the builds of a branch that wait behind a newer one.
func (s *Builder) supersede(ctx context.Context, waiting []builds.Build) error {
	var of []queue.Candidate
	byID := map[string]*builds.Build{}
	for k := range waiting {
		b := &waiting[k]
		if byID[b.ID] = b; b.Kind == events.RefBranch {
			of = append(of, queue.Candidate{Build: b.ID, Seq: b.Seq, Line: b.Repository + " " + b.Rule.Name + " " + b.Source + " " + b.Ref})
		}
	}
	for old, newer := range queue.Superseded(of) {
		_, err := build.End(ctx, s.Events, system(byID[old]), idOf(byID[old]), events.BuildFinished{Outcome: events.BuildSuperseded,
			Detail: fmt.Sprintf("the newer commit %.12s of %s is built instead", byID[newer].Commit, byID[newer].Ref)})
		if err != nil && !errors.Is(err, build.ErrEnded) {
			return err
		}
	}
	return nil
}

// give claims a build for a builder and hands it over, if the builder still asks.
func (s *Builder) give(ctx context.Context, builder string, b *builds.Build) error {
	if !s.stations.asks(builder) {
		return nil // it got another one just now
	}
	a, err := s.assign(ctx, b)
	var never *driver.Failure
	if errors.As(err, &never) {
		_, err := build.End(ctx, s.Events, system(b), idOf(b), events.BuildFinished{Outcome: events.BuildFailed, Reason: string(never.Kind), Detail: never.Text})
		return err
	}
	if err != nil {
		return err
	}
	// A claim that is on its way to the log is waited for: one of which nobody knows
	// would count as a loss.
	var seq uint64
	if a.Epoch, seq, err = build.Claim(context.WithoutCancel(ctx), s.Events, system(b), idOf(b), builder, a.Scanner); err != nil {
		return err
	}
	if err := s.View.Wait(ctx, seq); err == nil && s.stations.give(builder, a) {
		return nil
	}
	_, err = build.Release(context.WithoutCancel(ctx), s.Events, system(b), idOf(b), builder, a.Epoch, "")
	return err
}
