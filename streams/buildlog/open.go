package buildlog

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// How long logs are kept, and how much of them; the oldest go first.
const (
	MaxAge   = 90 * 24 * time.Hour
	MaxBytes = 4 << 30 // after compression
)

// Config says where logs are kept. All fields are required.
type Config struct {
	// JetStream is a connection to the log's servers.
	JetStream jetstream.JetStream

	// Replicas is how many servers keep them.
	Replicas int

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
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := c.ReadOnly(); err != nil {
			return nil, err
		}
		s.stream, err = c.JetStream.CreateStream(ctx, jetstream.StreamConfig{
			Name:        StreamName,
			Description: "what the builds of Hubledger write, for a while",
			Subjects:    []string{subjectPrefix + "*"},
			Storage:     jetstream.FileStorage,
			Compression: jetstream.S2Compression,
			Replicas:    c.Replicas,
			Discard:     jetstream.DiscardOld,
			MaxAge:      MaxAge,
			MaxBytes:    MaxBytes,
			MaxMsgSize:  MaxChunk + 1<<10,
			MaxMsgs:     -1,
			// Reads are by the next message of a subject.
			AllowDirect:  true,
			MaxConsumers: -1,
		})
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was faster
			s.stream, err = c.JetStream.Stream(ctx, StreamName)
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}
