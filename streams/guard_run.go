package streams

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// scrubWindow is how many events are read at a time: about a block of them.
const scrubWindow = 10_000

// Run checks the log every minute and slowly compares all of it with the
// journal. It returns when ctx ends or the log has become read-only, with the
// reason.
func (g *Guard) Run(ctx context.Context) error {
	log := cmp.Or(g.Logger, slog.Default())
	scrub := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { scrub <- g.scrub(ctx, log) }()

	tick := time.NewTicker(cmp.Or(g.Every, time.Minute))
	defer tick.Stop()
	for {
		g.Log.keepBallast()
		select {
		case <-ctx.Done():
			<-scrub
			return context.Cause(ctx)
		case err := <-scrub:
			return err
		case <-tick.C:
			err := g.judge(ctx, func() error { _, err := g.check(ctx); return err })
			if g.Log.ReadOnly() != nil {
				return err
			}
			if err != nil {
				log.Warn("the log could not be checked", "error", err)
			}
		}
	}
}

// scrub compares the whole log with the journal, again and again.
func (g *Guard) scrub(ctx context.Context, log *slog.Logger) error {
	rate := cmp.Or(g.ScrubRate, 2000)
	for from := uint64(1); ; {
		position, err := g.Journal.Position(ctx)
		if err == nil && from <= position {
			to := min(position, from+scrubWindow-1)
			if err = g.judge(ctx, func() error { return g.compare(ctx, from, to, rate) }); err == nil {
				from = to + 1
			}
		}
		if err := g.Log.ReadOnly(); err != nil {
			return err
		}
		rest := time.Duration(0)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Warn("the log could not be compared with the journal", "from", from, "error", err)
			rest = cmp.Or(g.Every, time.Minute)
		case err == nil && from > position:
			log.Debug("the whole log was compared with the journal", "events", position)
			from, rest = 1, cmp.Or(g.ScrubRest, 24*time.Hour)
		}
		if err := sleep(ctx, rest); err != nil {
			return err
		}
	}
}
