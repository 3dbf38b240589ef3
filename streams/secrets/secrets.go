// Package secrets keeps what may not stand in the log (password hashes, e-mail
// addresses, signing keys) in a key-value bucket of the same NATS servers. Each
// secret is encrypted to a key that is kept apart from the data.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// bucketName is the key-value bucket beside the log.
const bucketName = "SECRETS"

// MaxSize bounds one secret, in bytes.
const MaxSize = 64 << 10

// encryptionOverhead is what encryption adds to a secret at most.
const encryptionOverhead = 4 << 10

var (
	// ErrNotFound: there is no secret under that key. It wraps fs.ErrNotExist.
	ErrNotFound = fmt.Errorf("no such secret: %w", fs.ErrNotExist)
	// ErrConflict: the secret was changed since that revision. It wraps events.ErrConflict.
	ErrConflict = fmt.Errorf("secret: %w", events.ErrConflict)
	// ErrKey: the key file does not open what is stored, or what is
	// stored was not written with it under that name.
	ErrKey = errors.New("the secrets' key does not open what is stored")
)

// requestTimeout bounds one request: a server that has no leader for the
// bucket answers nothing at all.
const requestTimeout = 5 * time.Second

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout)
}

// Get reads a secret and the revision to name in Update. ErrNotFound.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	stored, revision, err := b.sealed(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	value, err := b.box.open(key, stored)
	if err != nil {
		return nil, 0, fmt.Errorf("secret %s: %w", key, err)
	}
	return value, revision, nil
}

// Put stores a secret, whether or not there was one.
func (b *Bucket) Put(ctx context.Context, key string, value []byte) error {
	_, err := b.write(ctx, key, value, b.kv.Put)
	return err
}

// Update stores a secret if it still has that revision, 0 for none at all,
// and returns the new one. ErrConflict.
func (b *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	return b.write(ctx, key, value, func(ctx context.Context, key string, sealed []byte) (uint64, error) {
		if revision == 0 {
			return b.kv.Create(ctx, key, sealed)
		}
		return b.kv.Update(ctx, key, sealed, revision)
	})
}

func (b *Bucket) write(ctx context.Context, key string, value []byte, put func(context.Context, string, []byte) (uint64, error)) (uint64, error) {
	if err := b.writable(key, len(value)); err != nil {
		return 0, err
	}
	if len(value) > MaxSize {
		return 0, fmt.Errorf("secret %s has %d bytes, %d are allowed", key, len(value), MaxSize)
	}
	sealed, err := b.box.seal(key, value)
	if err != nil {
		return 0, fmt.Errorf("secret %s: %w", key, err)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	revision, err := put(ctx, key, sealed)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("%w: %s", ErrConflict, key)
	}
	if err != nil {
		return 0, fmt.Errorf("write secret %s: %w", key, err)
	}
	if err := b.overwrite(ctx, key, revision); err != nil { // the next write of the key does it
		b.config.Logger.Warn("a secret that was replaced could not be overwritten on the disk", "key", key, "error", err)
	}
	return revision, nil
}

// Destroy removes a secret for good; it is no error when there is none. Its
// ciphertext is overwritten with random bytes in the servers' files, as is that
// of a secret that Put or Update replaced. In a cluster the ciphertext also
// stands in the servers' Raft log until they compact it. Backups keep it until
// they expire, and so may file systems and disks that do not overwrite in place.
func (b *Bucket) Destroy(ctx context.Context, key string) error {
	if err := b.writable(key, 0); err != nil {
		return err
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := b.overwrite(ctx, key, allRevisions); err != nil {
		return fmt.Errorf("destroy secret %s: %w", key, err)
	}
	return nil
}

// nameSyntax is that of parts separated by dots, without NATS's wildcards.
var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func checkName(key string) error {
	if len(key) > 200 || !nameSyntax.MatchString(key) {
		return fmt.Errorf("%.80q is not a valid name of a secret", key)
	}
	return nil
}

func (b *Bucket) writable(key string, bytes int) error {
	if err := checkName(key); err != nil {
		return err
	}
	if err := b.config.ReadOnly(); err != nil {
		return err
	}
	return b.config.Room(bytes + encryptionOverhead)
}

// Keys lists the names of all secrets that begin with prefix, which is empty
// or ends with a dot, in byte order.
func (b *Bucket) Keys(ctx context.Context, prefix string) ([]string, error) {
	if prefix != "" {
		if err := checkName(strings.TrimSuffix(prefix, ".")); err != nil || !strings.HasSuffix(prefix, ".") {
			return nil, fmt.Errorf("%.80q is not a valid prefix of names of secrets", prefix)
		}
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	// The client library's own list waits for every record that existed when it
	// was called, also for one that is destroyed meanwhile.
	info, err := b.stream.Info(ctx, jetstream.WithSubjectFilter(subjectPrefix+prefix+">"))
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	var keys []string
	for subject := range info.State.Subjects {
		if key := strings.TrimPrefix(subject, subjectPrefix); key != canaryKey {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
