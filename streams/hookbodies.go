package streams

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/streams/hookbodies"
)

// OpenHookBodies opens the store of webhooks' bodies beside the log and makes it
// when it is missing. maxAge and maxBytes are its bounds, 0 for hookbodies.DefaultMaxAge
// and hookbodies.DefaultMaxBytes; they count for a store on an embedded server, and
// for one that is made. The error wraps events.ErrReadOnly when the log is in
// quarantine, or when there is no store yet and none may be made.
func OpenHookBodies(ctx context.Context, log *Log, maxAge time.Duration, maxBytes int64) (*hookbodies.Store, error) {
	if log.js == nil {
		return nil, fmt.Errorf("open the bodies of webhooks: %w", log.ReadOnly())
	}
	c := hookbodies.Config{JetStream: log.js, Replicas: log.replicas, MaxAge: cmp.Or(maxAge, hookbodies.DefaultMaxAge),
		MaxBytes: cmp.Or(maxBytes, hookbodies.DefaultMaxBytes), Mine: log.server != nil, ReadOnly: log.ReadOnly,
		Room: func(bytes int) error { return log.accepts(&events.Event{}, int64(bytes)) }}
	var store *hookbodies.Store
	err := log.WhileStarting(ctx, func() (err error) {
		store, err = hookbodies.Open(ctx, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the bodies of webhooks: %w", err)
	}
	return store, nil
}
