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

// keptRecords is how many records of a key the servers keep. One would do, but a
// record that the servers drop stays in their files until these are compacted;
// so older records are overwritten here before the servers drop them.
const keptRecords = 8

// bucketConfig is that of a key-value bucket, except that single records can be
// overwritten, which the client library does not offer.
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

// overwrite replaces the records of a key that are older than a revision with
// random bytes. It begins with the oldest, so that a crash never leaves an older
// value as the last one.
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
