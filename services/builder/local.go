package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/queue"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
)

// look is how often the local builder looks for builds, and whether those that it has
// were cancelled.
const look = 300 * time.Millisecond

// system signs what follows from a build.
func system(b *builds.Build) command.By {
	return command.By{Source: source, Actor: "system", Cause: b.Event, Correlation: b.Correlation}
}

// runLocal takes builds from the queue and runs them until ctx ends. What a process
// before this one had is lost with it: it waits again.
func (s *Builder) runLocal(ctx context.Context) {
	hub := attempts{s, s.Local.Name}
	d, registry, err := s.Local.Open(ctx, func(attempt string) worker.Credentials { return worker.CredentialsOf(hub, attempt) })
	if err != nil {
		if ctx.Err() == nil {
			s.Logger.Warn("this node builds nothing", "reason", err)
		}
		return
	}
	if err := emptied(s.Local.Dir); err != nil { // of what an earlier process has left
		s.Logger.Warn("this node builds nothing", "reason", err)
		return
	}
	w := &worker.Worker{Hub: hub, Driver: d, Registry: registry, Fetcher: s.Local.Fetcher, Dir: s.Local.Dir, Logger: s.Logger}
	var work sync.WaitGroup
	defer work.Wait()
	for again := true; ; {
		if again {
			again = s.loseOwn(ctx) != nil
		} else if err := s.takeBuilds(ctx, w, &work); err != nil && ctx.Err() == nil {
			s.Logger.Warn("the queue of builds cannot be read; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(look):
		}
	}
}

// loseOwn gives up the builds that an earlier process had.
func (s *Builder) loseOwn(ctx context.Context) error {
	running, err := s.Read.InState(ctx, builds.Running)
	if err != nil {
		return err
	}
	for _, b := range running {
		if b.Builder != s.Local.Name {
			continue
		}
		_, err := build.Lose(ctx, s.Events, system(&b), idOf(&b), b.Builder, b.Epoch, b.Losses)
		if err != nil && !errors.Is(err, build.ErrEpoch) && !errors.Is(err, build.ErrEnded) {
			return err
		}
	}
	return nil
}

// takeBuilds ends what was cancelled, what was superseded and what waits in vain, and
// starts what is next.
func (s *Builder) takeBuilds(ctx context.Context, w *worker.Worker, work *sync.WaitGroup) error {
	running, err := s.Read.InState(ctx, builds.Running)
	if err != nil {
		return err
	}
	s.cancelEnded(running)
	if !s.free() {
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
	places, err := s.order(ctx, waiting, running)
	if err != nil {
		return err
	}
	for _, p := range places {
		b := byID[p.Build]
		switch {
		case p.Reason == queue.NeedFailed:
			_, err = build.End(ctx, s.Events, system(b), idOf(b), events.BuildFinished{Outcome: events.BuildFailed, Reason: string(p.Reason), Detail: p.Text})
		case p.Reason == queue.Next && p.Builder == s.Local.Name && s.free():
			err = s.start(ctx, w, b, work)
		}
		if err != nil && !errors.Is(err, build.ErrEnded) && !errors.Is(err, build.ErrNotWaiting) {
			return err
		}
	}
	return nil
}

func idOf(b *builds.Build) build.ID { return build.ID{Namespace: b.Namespace, Build: b.ID} }

// free says whether the local builder has a place. The read model may not show yet
// what it has begun.
func (s *Builder) free() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.running) < s.Local.Places
}

// cancelEnded stops the builds of the local builder that have ended in the log, such
// as those that were cancelled.
func (s *Builder) cancelEnded(running []builds.Build) {
	lives := map[string]bool{}
	for _, b := range running {
		lives[b.ID] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, cancel := range s.running {
		if !lives[id] {
			cancel(worker.ErrEnded)
		}
	}
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

// start claims a build and runs it.
func (s *Builder) start(ctx context.Context, w *worker.Worker, b *builds.Build, work *sync.WaitGroup) error {
	a, err := s.assign(ctx, b)
	var never *driver.Failure
	if errors.As(err, &never) {
		_, err := build.End(ctx, s.Events, system(b), idOf(b), events.BuildFinished{Outcome: events.BuildFailed, Reason: string(never.Kind), Detail: never.Text})
		return err
	}
	if err != nil {
		return err
	}
	var seq uint64
	if a.Epoch, seq, err = build.Claim(ctx, s.Events, system(b), idOf(b), s.Local.Name); err != nil {
		return err
	}
	running, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	s.running[b.ID] = cancel
	s.mu.Unlock()
	work.Go(func() {
		defer func() {
			cancel(nil)
			s.mu.Lock()
			delete(s.running, b.ID)
			s.mu.Unlock()
		}()
		if err := s.View.Wait(running, seq); err == nil { // before that it would look as if it had ended
			w.Build(running, a)
		}
	})
	return s.View.Wait(ctx, seq)
}

// emptied is a new directory.
func emptied(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
}
