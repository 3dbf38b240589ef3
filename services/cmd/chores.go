package cmd

import (
	"context"
	"time"
)

// startViews runs the projections and returns when they have caught up.
func (h *hub) startViews(ctx, run context.Context) error {
	for _, v := range h.views {
		if err := v.catchUp(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// awaitRights returns when it is known who may do what: until then everybody
// with a login would be told to come back.
func (h *hub) awaitRights(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for h.rights.Fresh(ctx) != nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// every runs a task now and then until the hub stops, and logs its failures.
func (h *hub) every(ctx context.Context, interval time.Duration, what string, task func(context.Context) error) {
	h.chore(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := task(ctx); err != nil && ctx.Err() == nil {
				h.Logger.Error(what+" failed", "error", err)
			}
		}
	})
}

// abandonedAfter is when an upload that nothing is written to is purged.
const abandonedAfter = 24 * time.Hour

func (h *hub) startChores(ctx context.Context) {
	h.chore(func() { h.guard.Run(ctx) })
	h.chore(func() { h.auth.Run(ctx) })
	h.chore(func() {
		h.activity.Run(ctx, func(err error) { h.Logger.Error("keep the activity of accounts", "error", err) })
	})
	for _, m := range h.managers {
		h.chore(func() {
			if err := m.Run(ctx); err != nil {
				h.Logger.Error("a process manager did not end", "error", err)
			}
		})
	}
	h.every(ctx, time.Second, "write down pull counts", h.registry.FlushPulls)
	h.every(ctx, 10*time.Minute, "purge abandoned uploads", func(ctx context.Context) error {
		n, err := h.blobs.PurgeUploads(ctx, abandonedAfter)
		if n > 0 {
			h.Logger.Info("purged abandoned uploads", "count", n)
		}
		return err
	})
	h.every(ctx, min(h.LeaseTerm, time.Hour), "drop old leases", func(ctx context.Context) error {
		_, err := h.leases.Expire(ctx, time.Now().Add(-2*h.LeaseTerm))
		return err
	})
	if h.CleanupInterval > 0 {
		h.every(ctx, h.CleanupInterval, "apply cleanup rules", h.cleaner.RunAll)
	}
	if h.GCInterval > 0 {
		h.every(ctx, h.GCInterval, "garbage collection", h.collect)
	}
}

// collect is the garbage collection that comes by itself. When the disk's
// reserve is reached it gives up what could still be restored.
func (h *hub) collect(ctx context.Context) error {
	window := h.UndeleteWindow
	if !h.hasSpace() {
		window = 0
		h.Logger.Warn("the disk's reserve is reached: garbage collection takes deleted images now, they cannot be restored any more")
	}
	c, err := h.registry.Collect(ctx, window, func(int) {})
	if c.Swept > 0 {
		h.Logger.Info("garbage collected", "blobs", c.Swept, "bytes", c.Freed)
	}
	return err
}
