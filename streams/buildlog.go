package streams

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/streams/buildlog"
)

// OpenBuildLog opens the logs of builds beside the log and makes their stream when it
// is missing. The error wraps events.ErrReadOnly when the log is in quarantine, or
// when there is no stream yet and none may be made.
func OpenBuildLog(ctx context.Context, log *Log) (*buildlog.Store, error) {
	if log.js == nil {
		return nil, fmt.Errorf("open the logs of builds: %w", log.ReadOnly())
	}
	c := buildlog.Config{JetStream: log.js, Replicas: log.replicas, ReadOnly: log.ReadOnly,
		Room: func(bytes int) error { return log.accepts(&events.Event{}, int64(bytes)) }}
	var store *buildlog.Store
	err := log.WhileStarting(ctx, func() (err error) {
		store, err = buildlog.Open(ctx, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the logs of builds: %w", err)
	}
	return store, nil
}
