package builder

import (
	"context"
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
	hub := attempts{s, s.Local.Name, ""}
	w, err := s.Local.Open(ctx, hub)
	if err == nil {
		w.Run(ctx, hub, s.Local.Offer)
	} else if ctx.Err() == nil {
		s.Logger.Warn("this node builds nothing", "reason", err)
	}
}
