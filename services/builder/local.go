package builder

import (
	"context"
	"errors"
	"os"

	"hubledger/services/builder/worker"
)

// run gives builds to builders, and runs those of this node's own.
func (s *Builder) run(ctx context.Context) {
	if s.Local == nil {
		s.dispatch(ctx)
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.runLocal(ctx)
	}()
	s.dispatch(ctx)
	<-ended
}

// runLocal runs builds in this process until ctx ends.
func (s *Builder) runLocal(ctx context.Context) {
	hub := attempts{s, s.Local.Name}
	d, registry, err := s.Local.Open(ctx, func(attempt string) worker.Credentials { return worker.CredentialsOf(hub, attempt) })
	if err == nil {
		err = emptied(s.Local.Dir) // of what an earlier process has left
	}
	if err != nil {
		if ctx.Err() == nil {
			s.Logger.Warn("this node builds nothing", "reason", err)
		}
		return
	}
	w := &worker.Worker{Hub: hub, Driver: d, Registry: registry, Fetcher: s.Local.Fetcher, Dir: s.Local.Dir, Logger: s.Logger}
	w.Run(ctx, hub, worker.Offer{Platforms: s.Local.Platforms, Places: s.Local.Places})
}

// emptied is a new directory.
func emptied(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
}
