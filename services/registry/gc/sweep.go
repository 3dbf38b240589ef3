package gc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry/blobs"
)

// unheld says whether a blob's last hold ended more than a lease term ago.
func (g *Collector) unheld(ctx context.Context, d digest.Digest, window time.Duration) (bool, error) {
	before := time.Now().Add(-g.LeaseTerm)
	if last, _, err := g.Leases.LastLease(ctx, d); err != nil || last.After(before) {
		return false, err
	}
	end, live, err := g.Images.HoldEnd(ctx, d, window)
	return err == nil && !live && !end.After(before), err
}

// markAndSweep: from the mark on no lease is given, so no manifest can come to
// need the blobs, except by an event that is already in the log.
func (g *Collector) markAndSweep(ctx context.Context, ds []digest.Digest, window time.Duration, r *Result) error {
	marked, err := g.Leases.MarkLeaving(ctx, ds)
	if err != nil {
		err = fmt.Errorf("mark blobs: %w", err)
	} else if len(marked) > 0 {
		err = g.sweep(ctx, marked, window, r)
	}
	// Pushes wait for the end of the marks, however the sweep ended.
	return errors.Join(err, g.Leases.ClearLeaving(context.WithoutCancel(ctx), marked...))
}

// sweep waits until the read model has all of the log, looks at the holds again,
// records what it is going to remove, removes it, and waits until that can be seen.
func (g *Collector) sweep(ctx context.Context, marked []digest.Digest, window time.Duration, r *Result) error {
	last, err := g.Log.LastSeq(ctx)
	if err == nil {
		err = g.awaitVisible(ctx, last)
	}
	if err == nil && g.View.HasParked() {
		err = ErrParked
	}
	if err != nil {
		return err
	}
	var e events.BlobsSwept
	var damaged []digest.Digest
	for _, d := range marked {
		free, err := g.unheld(ctx, d, window)
		if err != nil {
			return err
		}
		size, err := g.Blobs.Stat(ctx, d)
		isDamaged := errors.Is(err, blobs.ErrDamaged)
		if !free || err != nil && !isDamaged {
			continue
		}
		if isDamaged {
			damaged = append(damaged, d)
		}
		e.Blobs = append(e.Blobs, events.SweptBlob{Digest: d, Size: size})
	}
	if len(e.Blobs) == 0 {
		return nil
	}
	seq, err := command.Append(ctx, g.Log, command.By{Source: "/registry/gc", Actor: "system"}, e, events.AnySeq)
	if err != nil {
		return fmt.Errorf("record the sweep: %w", err)
	}
	for _, b := range e.Blobs {
		if err := g.Blobs.Remove(ctx, b.Digest); err != nil {
			return fmt.Errorf("remove blob %s: %w", b.Digest, err)
		}
		r.Swept++
		r.Freed += b.Size
		g.Swept(b.Size)
	}
	if len(damaged) > 0 {
		if err := g.Leases.ClearDamaged(ctx, damaged...); err != nil {
			return err
		}
	}
	// Who asked for the collection sees what it took.
	return g.awaitVisible(ctx, seq)
}

func (g *Collector) awaitVisible(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, g.Wait)
	defer cancel()
	return g.View.Wait(ctx, seq)
}
