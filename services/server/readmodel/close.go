package readmodel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/projections"
)

// settleWithin is how long Close waits for read models that are behind the log.
const settleWithin = 5 * time.Second

// Close lets the read models commit what the log has, stops them and closes them.
// Nothing may be appended any more. After it the journal has every event of the log,
// so a log that loses its end while the node is stopped can be restored whole. A read
// model that is still behind after settleWithin is closed as it is: the next start
// goes on from there.
func (s *Set) Close(ctx context.Context) error {
	s.settle(ctx)
	s.stop()
	ended := make(chan struct{})
	go func() { s.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("read models follow the log after they were told to stop: %w", ctx.Err())
	}
	var errs []error
	for _, m := range s.models {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// settle waits until the read models have committed the last event of the log.
func (s *Set) settle(ctx context.Context) {
	if s.Log.ReadOnly() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	last, err := s.Log.LastSeq(ctx)
	if err != nil {
		s.Logger.Warn("stopping without knowing the end of the log", "error", err)
		return
	}
	for _, m := range s.models {
		if m.current == nil || m.current.stop == nil {
			continue // it has not begun to follow the log
		}
		if err := m.Wait(ctx, last); err != nil && !errors.Is(err, projections.ErrParked) {
			s.Logger.Warn("a projection stops behind the log; the next start goes on from there", "projection", m.Projection.Name,
				"position", m.Position(), "last", last)
		}
	}
}
