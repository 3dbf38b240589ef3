package registry

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

// sweepBatch is how many blobs one blobs.swept event names at most.
const sweepBatch = 500

// ErrParked: the projection has set events aside, so that holds may be missing.
var ErrParked = errors.New("the registry projection has parked events: garbage collection stops until a new projection version has applied them")

// Collection says what one garbage collection did.
type Collection struct {
	Seen    int    `json:"seen"`    // blobs looked at
	Swept   int    `json:"swept"`   // blobs taken away
	Freed   int64  `json:"freed"`   // bytes
	Resting string `json:"resting"` // why nothing was collected, if so
}

// Collect takes away blobs that nobody has held for a lease term: no lease, and
// no manifest that is live or can be restored within the window. It works
// while others push; see the fences of each step. progress is called now and
// then with the blobs looked at.
func (s *Registry) Collect(ctx context.Context, window time.Duration, progress func(seen int)) (Collection, error) {
	var c Collection
	s.collecting.Lock()
	defer s.collecting.Unlock()
	if age := time.Since(s.Leases.Created()); age < s.LeaseTerm {
		c.Resting = fmt.Sprintf("the operational store is %s old; leases from before it may be lost, so nothing is collected for its first %s",
			age.Round(time.Second), s.LeaseTerm)
		return c, nil
	}
	if err := s.clearMarks(ctx); err != nil {
		return c, err
	}
	var batch []digest.Digest
	err := s.Blobs.Walk(ctx, func(d digest.Digest, size int64, modified time.Time) error {
		if c.Seen++; c.Seen%1000 == 0 {
			progress(c.Seen)
		}
		if time.Since(modified) < s.LeaseTerm {
			return nil
		}
		if free, err := s.unheld(ctx, d, window); err != nil || !free {
			return err
		}
		if batch = append(batch, d); len(batch) < sweepBatch {
			return nil
		}
		full := batch
		batch = nil
		return s.markAndSweep(ctx, full, window, &c)
	})
	if err == nil {
		err = s.markAndSweep(ctx, batch, window, &c)
	}
	progress(c.Seen)
	return c, err
}

// FinishSweeps is called at the start: it ends what a collection was at when
// its process died, so that no push waits for it.
func (s *Registry) FinishSweeps(ctx context.Context) error {
	s.collecting.Lock()
	defer s.collecting.Unlock()
	return s.clearMarks(ctx)
}

// clearMarks takes away the marks of a collection that died. Each of its blobs
// is gone or whole; what is whole and still held by nobody is found anew. The
// caller is the one who collects: there are no other marks.
func (s *Registry) clearMarks(ctx context.Context) error {
	marks, err := s.Leases.Leaving(ctx)
	if err != nil || len(marks) == 0 {
		return err
	}
	var ds []digest.Digest
	for _, m := range marks {
		ds = append(ds, m.Digest)
	}
	return s.Leases.ClearLeaving(ctx, ds...)
}

// unheld says whether a blob's last hold ended more than a lease term ago.
func (s *Registry) unheld(ctx context.Context, d digest.Digest, window time.Duration) (bool, error) {
	before := time.Now().Add(-s.LeaseTerm)
	if last, _, err := s.Leases.LastLease(ctx, d); err != nil || last.After(before) {
		return false, err
	}
	end, live, err := s.Images.HoldEnd(ctx, d, window)
	return err == nil && !live && !end.After(before), err
}

// markAndSweep: from the mark on no lease is given, so no manifest can come to
// need the blobs, except by an event that is already in the log.
func (s *Registry) markAndSweep(ctx context.Context, ds []digest.Digest, window time.Duration, c *Collection) error {
	marked, err := s.Leases.MarkLeaving(ctx, ds)
	if err != nil {
		err = fmt.Errorf("mark blobs: %w", err)
	} else if len(marked) > 0 {
		err = s.sweep(ctx, marked, window, c)
	}
	// Pushes wait for the marks: they go however it ended.
	return errors.Join(err, s.Leases.ClearLeaving(context.WithoutCancel(ctx), marked...))
}

// sweep waits for what is in the log, looks again, says what it takes, and
// takes it.
func (s *Registry) sweep(ctx context.Context, marked []digest.Digest, window time.Duration, c *Collection) error {
	last, err := s.Log.LastSeq(ctx)
	if err == nil {
		err = s.awaitVisible(ctx, last)
	}
	if err == nil && s.View.HasParked() {
		err = ErrParked
	}
	if err != nil {
		return err
	}
	var e events.BlobsSwept
	var damaged []digest.Digest
	for _, d := range marked {
		free, err := s.unheld(ctx, d, window)
		if err != nil {
			return err
		}
		size, err := s.Blobs.Stat(ctx, d)
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
	if _, err := command.Append(ctx, s.Log, command.By{Source: "/registry/gc", Actor: "system"}, e, events.AnySeq); err != nil {
		return fmt.Errorf("record the sweep: %w", err)
	}
	for _, b := range e.Blobs {
		if err := s.Blobs.Remove(ctx, b.Digest); err != nil {
			return fmt.Errorf("remove blob %s: %w", b.Digest, err)
		}
		c.Swept++
		c.Freed += b.Size
		s.Metrics.Swept.Inc()
		s.Metrics.Freed.Add(float64(b.Size))
	}
	if len(damaged) == 0 {
		return nil
	}
	return s.Leases.ClearDamaged(ctx, damaged...)
}
