package streams

import (
	"context"
	"fmt"

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
	c := secrets.Config{Conn: log.conn, JetStream: log.js, Replicas: log.replicas, KeyFile: keyFile,
		ReadOnly: log.ReadOnly, Room: func(bytes int) error { return log.room(int64(bytes), true) }, Logger: log.config.Logger}
	var bucket *secrets.Bucket
	err := log.WhileStarting(ctx, func() (err error) {
		bucket, err = secrets.Open(ctx, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the secrets: %w", err)
	}
	return bucket, nil
}
