package process

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
)

// metaSequence is where a message has its event's sequence; see package
// streams/messages.
const metaSequence = "sequence"

// route starts a router that wakes the manager, and returns when events that
// are appended from now on will. The channel gets the router's end; it is nil
// when there is nothing to be woken by.
func (r *Runner) route(ctx context.Context) (<-chan error, error) {
	if r.Subscribe == nil || len(r.m.Wakes) == 0 {
		return nil, nil
	}
	subscriber, err := r.Subscribe(r.m.Name, r.m.Wakes, r.m.Parallel)
	if err != nil {
		return nil, err
	}
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: stopWithin},
		watermill.NewSlogLoggerWithLevelMapping(r.Logger, map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug}))
	if err != nil {
		return nil, err
	}
	router.AddConsumerHandler(r.m.Name, r.m.Name, subscriber, r.handle)
	ended := make(chan error, 1)
	go func() { ended <- router.Run(ctx) }()
	select {
	case <-router.Running():
		return ended, nil
	case err := <-ended:
		return nil, err
	}
}

// awaitRouter waits for a router whose context has ended; it bounds that itself.
func (r *Runner) awaitRouter(ended <-chan error) error {
	if ended == nil {
		return nil
	}
	return <-ended
}

// handle is asked for each event that may have made something due. It returns
// nil when all that was due then has been done, or has failed and is kept to be
// tried again: then the event need not come again.
func (r *Runner) handle(m *message.Message) error {
	ctx := m.Context()
	seq, err := strconv.ParseUint(m.Metadata.Get(metaSequence), 10, 64)
	if err == nil && r.m.View != nil {
		if err := r.m.View.Wait(ctx, seq); err != nil {
			if ctx.Err() != nil {
				return err
			}
			// A read model that has parked the event does not know what is due.
			r.failed(err)
		}
	}
	return r.doWhatIsDue(ctx)
}

// doWhatIsDue returns when nothing that was due at the call waits for its first
// attempt or runs.
func (r *Runner) doWhatIsDue(ctx context.Context) error {
	var wanted map[string]struct{}
	for {
		if err := r.awaitWritable(ctx); err != nil {
			return err
		}
		ended := r.nextEnd()
		p, err := r.pass(ctx)
		if err != nil {
			return err
		}
		if wanted == nil {
			wanted = p.pending
		}
		for key := range wanted {
			if _, ok := p.pending[key]; !ok {
				delete(wanted, key)
			}
		}
		if len(wanted) == 0 {
			if p.waits {
				r.wakeUp() // for the time of the next attempt
			}
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
