package hookbodies

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What is kept unless the operator says otherwise.
const (
	DefaultMaxAge   = 30 * 24 * time.Hour
	DefaultMaxBytes = 1 << 30
)

// Config says where bodies are kept, and for how long. All fields are required.
type Config struct {
	// JetStream is a connection to the log's servers.
	JetStream jetstream.JetStream

	// Replicas is how many servers keep the bodies.
	Replicas int

	// MaxAge is how long a body is kept.
	MaxAge time.Duration

	// MaxBytes bounds all bodies together, after compression. The oldest go first.
	MaxBytes int64

	// Mine says that nobody else uses the servers: then a stream that is there gets
	// this MaxAge and MaxBytes. Two nodes that were told different things would
	// undo each other's settings.
	Mine bool

	// ReadOnly is why nothing may be written now, nil when writing is allowed.
	ReadOnly func() error

	// Room is why that many bytes may not be written now, nil when they may. Its error
	// is that of ReadOnly when that has one.
	Room func(bytes int) error
}

// Open opens the store and makes its stream when it is missing. The error is that
// of ReadOnly when there is none and none may be made.
func Open(ctx context.Context, c Config) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s := &Store{config: c}
	var err error
	s.stream, err = c.JetStream.Stream(ctx, StreamName)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if err := c.ReadOnly(); err != nil {
			return nil, err
		}
		s.stream, err = c.JetStream.CreateStream(ctx, c.definition())
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was faster, with other settings
			s.stream, err = c.JetStream.Stream(ctx, StreamName)
		}
	case err != nil || !c.Mine || c.ReadOnly() != nil:
	default:
		if have := s.stream.CachedInfo().Config; have.MaxAge != c.MaxAge || have.MaxBytes != c.MaxBytes {
			want := c.definition()
			want.PersistMode = have.PersistMode // cannot change: older streams sync each message
			s.stream, err = c.JetStream.UpdateStream(ctx, want)
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c Config) definition() jetstream.StreamConfig {
	mode := jetstream.AsyncPersistMode
	if c.Replicas > 1 { // servers refuse it
		mode = jetstream.DefaultPersistMode
	}
	return jetstream.StreamConfig{
		Name:        StreamName,
		Description: "bodies of the webhooks that Hubledger received, for a while",
		Subjects:    []string{subjectPrefix + ">"},
		Storage:     jetstream.FileStorage,
		PersistMode: mode,
		Compression: jetstream.S2Compression,
		Replicas:    c.Replicas,
		Discard:     jetstream.DiscardOld,
		MaxAge:      c.MaxAge,
		MaxBytes:    c.MaxBytes,
		MaxMsgSize:  partSize + 1<<10,
		// A body that comes again replaces itself.
		MaxMsgsPerSubject: 1,
		MaxMsgs:           -1,
		MaxConsumers:      -1,
	}
}
