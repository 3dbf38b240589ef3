package secrets

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamName is the stream below the bucket, and subjectPrefix begins the
// subjects of its records (ADR-8 of NATS).
const (
	StreamName    = "KV_" + bucketName
	subjectPrefix = "$KV." + bucketName + "."
)

// keptRecords is how many records of a key the servers keep. One is enough,
// but what they drop themselves stays in their files until these are
// compacted: we overwrite it before.
const keptRecords = 8

// bucketConfig is that of a key-value bucket, but for allowing to overwrite
// single records, which the client library does not offer.
func (b *Bucket) bucketConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: StreamName, Subjects: []string{subjectPrefix + ">"}, Description: "secrets of Hubledger, encrypted",
		Storage: jetstream.FileStorage, Replicas: b.config.Replicas, Discard: jetstream.DiscardNew, Duplicates: 2 * time.Minute,
		MaxMsgsPerSubject: keptRecords, MaxMsgSize: MaxSize + encryptionOverhead, MaxBytes: -1, MaxMsgs: -1, MaxConsumers: -1,
		AllowDirect: true, DenyDelete: false,
	}
}

// allRevisions is higher than every revision.
const allRevisions = math.MaxUint64

// overwrite puts random bytes in the place of the records of a key from before
// a revision, the oldest first, so that what is left is never older than what
// is gone.
func (b *Bucket) overwrite(ctx context.Context, key string, before uint64) error {
	for last := uint64(0); ; {
		oldest, err := b.ask(ctx, key, map[string]any{"seq": 1, "next_by_subj": subjectPrefix + key})
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if oldest.Seq >= before {
			return nil
		}
		// Another node may have done it a moment ago.
		if err := b.stream.SecureDeleteMsg(ctx, oldest.Seq); err != nil && oldest.Seq == last {
			return err
		}
		last = oldest.Seq
	}
}
