package streams

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/secrets"
)

// OpenSecrets opens the bucket of secrets beside the log and makes it when it
// is missing. keyFile is made as well when there are no secrets yet. The error
// wraps secrets.ErrKey when the key is not the one the secrets were written
// with, and events.ErrReadOnly when the log is in quarantine, or when there are
// no secrets yet and none may be written.
func OpenSecrets(ctx context.Context, log *Log, keyFile string) (*secrets.Bucket, error) {
	if log.js == nil {
		return nil, fmt.Errorf("open the secrets: %w", log.ReadOnly())
	}
	c := secrets.Config{Conn: log.conn, JetStream: log.js, Replicas: log.config.Replicas, KeyFile: keyFile,
		ReadOnly: log.ReadOnly, Logger: log.config.Logger}
	for attempt := 0; ; attempt++ {
		bucket, err := secrets.Open(ctx, c)
		if err == nil {
			return bucket, nil
		}
		// A cluster may be about to choose the leader of the bucket, which another
		// node has made a moment ago.
		if !notAnswered(err) || log.config.URL == "" || pause(ctx, attempt) != nil {
			return nil, fmt.Errorf("open the secrets: %w", err)
		}
		log.config.Progress("waiting for the NATS servers", 0, 0)
	}
}

// notAnswered reports whether a request failed because no server has answered it.
func notAnswered(err error) bool {
	var e *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.As(err, &e) && e.Code == 503
}
