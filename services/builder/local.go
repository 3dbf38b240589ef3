package builder

import (
	"cmp"
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
	"hubledger/services/internal/access"
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
	d, registry, err := s.Local.Open(ctx, s.credentialsOf)
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
	var work sync.WaitGroup
	defer work.Wait()
	for again := true; ; {
		if again {
			again = s.loseOwn(ctx) != nil
		} else if err := s.takeBuilds(ctx, d, registry, &work); err != nil && ctx.Err() == nil {
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
func (s *Builder) takeBuilds(ctx context.Context, d driver.Driver, registry string, work *sync.WaitGroup) error {
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
			err = s.start(ctx, d, registry, b, work)
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

// errEnded is why a build is stopped that has ended in the log.
var errEnded = errors.New("the build has ended")

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
			cancel(errEnded)
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
func (s *Builder) start(ctx context.Context, d driver.Driver, registry string, b *builds.Build, work *sync.WaitGroup) error {
	epoch, seq, err := build.Claim(ctx, s.Events, system(b), idOf(b), s.Local.Name)
	if err != nil {
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
		r := &run{s: s, b: b, epoch: epoch, driver: d, registry: registry, dir: s.Local.Dir}
		if err := s.View.Wait(running, seq); err == nil { // before that it would look as if it had ended
			r.run(running)
		}
	})
	return s.View.Wait(ctx, seq)
}

// credentialsOf gives the tokens of a build, for the driver. attempt is the id that the
// driver knows it by.
func (s *Builder) credentialsOf(attempt string) Credentials { return credentials{s, attempt} }

// publicTerm is how long a repository is asked for without a token.
const publicTerm = 5 * time.Minute

// credentials are those of one attempt at a build.
type credentials struct {
	s       *Builder
	attempt string
}

func (c credentials) Token(ctx context.Context, repository string, push bool) (string, time.Time, error) {
	b, err := c.s.Read.Build(ctx, c.attempt[:min(len(c.attempt), 36)])
	if err != nil {
		return "", time.Time{}, err
	}
	rules, err := c.s.Read.Rules(ctx, b.Repository)
	if err != nil {
		return "", time.Time{}, err
	}
	if push && (repository != rules.Name || b.Test) {
		return "", time.Time{}, fmt.Errorf("the build may not push to %s", repository)
	}
	// A push by that name would make another repository of it.
	if live, err := c.s.Read.RepositoryLives(ctx, b.Repository); err != nil || push && !live {
		return "", time.Time{}, cmp.Or(err, errors.New("the repository was deleted"))
	}
	// Whoever pushes to the git repository chooses what a build pulls, and gets it in
	// the image: nothing private of other namespaces, whatever the account may see there.
	if b.Untrusted || access.NamespaceOf(repository) != access.NamespaceOf(rules.Name) {
		return "", time.Now().Add(publicTerm), nil
	}
	account, err := c.s.Local.Account(ctx, rules)
	if err != nil {
		return "", time.Time{}, err
	}
	return c.s.Local.Token(ctx, account, repository, push)
}

// emptied is a new directory.
func emptied(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
}
