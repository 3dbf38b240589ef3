package streams

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/streams/blockfile"
	"hubledger/streams/evt"
)

// Scan calls fn with the events of a range of sequences, in order; the log must have them. The
// error is a *GuardError when they are damaged or missing, and that of ReadOnly in quarantine.
func (l *Log) Scan(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	if l.conn == nil {
		return l.ReadOnly()
	}
	return l.scan(ctx, from, to, fn)
}

// scan calls fn with the events of a range of sequences, in order. An embedded
// server's files are read directly: the server would cut a damaged block off
// when it meets the damage. The error is a *GuardError when they are damaged.
func (l *Log) scan(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	if l.server != nil {
		return l.scanFiles(ctx, from, to, fn)
	}
	return l.scanServer(ctx, from, to, fn)
}

func (l *Log) scanFiles(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	blocks, err := evt.Blocks(l.config.Dir)
	if err != nil {
		return err
	}
	return damaged(blockfile.Scan(ctx, blocks, from, to, func(r blockfile.Record) error {
		e := evt.FromRecord(r)
		return fn(&e)
	}))
}

// errScanned ends a walk that has seen all it was to see.
var errScanned = errors.New("scanned")

// scanServer follows the log over the connection as far as the range goes.
func (l *Log) scanServer(ctx context.Context, from, to uint64, fn func(*events.Event) error) error {
	err := l.Follow(ctx, from-1, 500, func(batch []events.Event) error {
		for i := range batch {
			if batch[i].Seq > to {
				return errScanned
			}
			if err := fn(&batch[i]); err != nil {
				return err
			}
		}
		if batch[len(batch)-1].Seq == to {
			return errScanned
		}
		return nil
	})
	if errors.Is(err, errScanned) {
		return nil
	}
	if errors.Is(err, ErrGap) {
		return guardError(ReasonLost, "%v", err)
	}
	return fmt.Errorf("read the log: %w", err)
}
