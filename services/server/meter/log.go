package meter

import (
	"context"
	"errors"

	"hubledger/events"
	"hubledger/services/internal/budget"
	"hubledger/streams"
)

// A Log counts appends and conflicts in the metrics, and charges the account
// whose request makes an event with its bytes.
type Log struct {
	*streams.Log
	metrics *Metrics
}

// Log is a log whose appends are counted and charged.
func (m *Metrics) Log(of *streams.Log) Log { return Log{of, m} }

// maxRelief is the size in bytes up to which what takes rights away or frees space is
// never refused for what its account has written. Only long policies are larger.
const maxRelief = 1 << 10

// Append is of streams.Log.
func (l Log) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	must := len(e.Data) <= maxRelief && events.Relieves(&e)
	if err := budget.LogBytes(ctx, len(e.Subject)+len(e.Data), must); err != nil {
		return 0, err
	}
	seq, err := l.Log.Append(ctx, e, expect)
	switch {
	case err == nil:
		l.metrics.appends.Inc()
	case errors.Is(err, events.ErrConflict):
		l.metrics.conflicts.Inc()
	}
	return seq, err
}
