package secrets

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Sealed calls each with every secret as it is stored, encrypted, and with what proves
// that a key file is theirs.
func (b *Bucket) Sealed(ctx context.Context, each func(key string, sealed []byte) error) error {
	keys, err := b.Keys(ctx, "")
	if err != nil {
		return err
	}
	for _, key := range append(keys, canaryKey) {
		sealed, _, err := b.sealed(ctx, key)
		if errors.Is(err, ErrNotFound) { // destroyed meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if err := each(key, sealed); err != nil {
			return err
		}
	}
	return nil
}

// Load makes the bucket on a server that has none, with secrets as Sealed gives them. What
// opens them is the key file that they were written with.
func Load(ctx context.Context, js jetstream.JetStream, all func(each func(key string, sealed []byte) error) error) error {
	b := &Bucket{config: Config{Replicas: 1}}
	if _, err := js.CreateStream(ctx, b.bucketConfig()); err != nil {
		return err
	}
	return all(func(key string, sealed []byte) error {
		if err := checkName(key); err != nil && key != canaryKey {
			return err
		}
		if len(sealed) > MaxSize+encryptionOverhead {
			return fmt.Errorf("secret %s has %d bytes", key, len(sealed))
		}
		_, err := js.Publish(ctx, subjectPrefix+key, sealed)
		return err
	})
}
