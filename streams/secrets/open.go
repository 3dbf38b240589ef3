package secrets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// canaryKey holds a secret whose value is public. A key file that does not open
// it is not the one that the other secrets were written with.
const canaryKey = "canary"

const canaryText = "this bucket is encrypted with the key that opens this"

// Config says where the bucket is. Every field is required.
type Config struct {
	// Conn and JetStream are a connection to the log's servers.
	Conn      *nats.Conn
	JetStream jetstream.JetStream

	// Replicas is how many servers keep the bucket.
	Replicas int

	// KeyFile holds an age identity. It is made when there are no secrets yet.
	KeyFile string

	// ReadOnly is why nothing may be written now, nil when writing is allowed.
	ReadOnly func() error

	// Room is why the servers have no room to write that many bytes, nil when they
	// have. Secrets are written down to the last space: setting a password and
	// erasing a person lock out.
	Room func(bytes int) error

	// Logger gets a warning when a replaced secret could not be overwritten.
	Logger *slog.Logger
}

// A Bucket holds the secrets. A secret is bound to its name, so that one cannot
// be put in another's place.
//
// What Put, Update and Destroy have returned nil for is on disk. Reads are
// answered by the bucket's leader: they see every write that was answered,
// on whatever node it was made.
type Bucket struct {
	config Config
	stream jetstream.Stream // what is under kv
	kv     jetstream.KeyValue
	box    *box
}

// Open opens the bucket and makes it when it is missing. The error wraps ErrKey
// when the key is not the one the secrets were written with, ErrConflict while
// another node is setting the bucket up (open it again), and that of ReadOnly
// when there are no secrets yet and none may be written.
func Open(ctx context.Context, c Config) (*Bucket, error) {
	b := &Bucket{config: c}
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bucket) open(ctx context.Context) (err error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	b.stream, err = b.config.JetStream.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := b.config.ReadOnly(); err != nil {
			return err
		}
		b.stream, err = b.config.JetStream.CreateStream(ctx, b.bucketConfig())
	}
	if err != nil {
		return err
	}
	if b.kv, err = b.config.JetStream.KeyValue(ctx, bucketName); err != nil {
		return err
	}
	stored, _, err := b.sealed(ctx, canaryKey)
	if errors.Is(err, ErrNotFound) {
		return b.begin(ctx)
	}
	if err != nil {
		return err
	}
	if b.box, err = readKey(b.config.KeyFile); err != nil {
		return &KeyFileError{fmt.Errorf("there are secrets already, and their key is needed: %w; put it back from its backup, or copy it from another node", err)}
	}
	if _, err := b.box.open(canaryKey, stored); err != nil {
		return &KeyFileError{fmt.Errorf("key file %s: %w: it is not the one the secrets were written with; put that one back", b.config.KeyFile, err)}
	}
	return nil
}

// begin sets up a bucket that has no secrets yet. Of several nodes one writes
// the canary, and the others must have its key file.
func (b *Bucket) begin(ctx context.Context) (err error) {
	if err := b.config.ReadOnly(); err != nil {
		return err
	}
	switch b.box, err = readKey(b.config.KeyFile); {
	case errors.Is(err, fs.ErrNotExist):
		if b.box, err = makeKey(b.config.KeyFile); err != nil {
			return err
		}
	case err != nil:
		return &KeyFileError{err}
	}
	_, err = b.Update(ctx, canaryKey, []byte(canaryText), 0)
	if !errors.Is(err, ErrConflict) {
		return err
	}
	switch _, _, err = b.Get(ctx, canaryKey); {
	case errors.Is(err, ErrKey):
		return &KeyFileError{fmt.Errorf("key file %s: %w: another node made one first; copy its key file here", b.config.KeyFile, err)}
	case errors.Is(err, ErrNotFound): // the other node's write is still under way
		return fmt.Errorf("another node is setting up the secrets: %w", ErrConflict)
	}
	return err
}
