package streams

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The bucket's stream and the beginning of its subjects, as NATS has them for
// the bucket's name (ADR-8 of NATS).
const (
	secretsStream  = "KV_" + secretsBucket
	secretsSubject = "$KV." + secretsBucket + "."
)

// keptRecords is how many records of a key the servers keep. One is enough,
// but what they drop themselves stays in their files until these are
// compacted: we overwrite it before.
const keptRecords = 8

// bucketConfig is that of a key-value bucket, but for allowing to overwrite
// single records, which the client library does not offer.
func (s *Secrets) bucketConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: secretsStream, Subjects: []string{secretsSubject + ">"}, Description: "secrets of Hubledger, encrypted",
		Storage: jetstream.FileStorage, Replicas: s.log.config.Replicas, Discard: jetstream.DiscardNew, Duplicates: 2 * time.Minute,
		MaxMsgsPerSubject: keptRecords, MaxMsgSize: MaxSecretSize + secretOverhead, MaxBytes: -1, MaxMsgs: -1, MaxConsumers: -1,
		AllowDirect: true, DenyDelete: false,
	}
}

// everyRecord is beyond all revisions.
const everyRecord = math.MaxUint64

// overwrite puts random bytes in the place of the records of a key from before
// a revision, the oldest first, so that what is left is never older than what
// is gone.
func (s *Secrets) overwrite(ctx context.Context, key string, before uint64) error {
	for last := uint64(0); ; {
		oldest, err := s.ask(ctx, key, map[string]any{"seq": 1, "next_by_subj": secretsSubject + key})
		if errors.Is(err, ErrNoSecret) {
			return nil
		}
		if err != nil {
			return err
		}
		if oldest.Seq >= before {
			return nil
		}
		// Another node may have done it a moment ago.
		if err := s.stream.SecureDeleteMsg(ctx, oldest.Seq); err != nil && oldest.Seq == last {
			return err
		}
		last = oldest.Seq
	}
}
