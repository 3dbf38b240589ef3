package streams

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/evt"
)

// noLimit is the byte limit of a stream that has none.
const noLimit = -1

// clusterReplicas is how many servers of a cluster keep the stream, unless the
// operator says otherwise: the fewest that lose nothing when one of them is lost.
const clusterReplicas = 3

// The error codes with which servers refuse to make a stream, where the operator
// can do something about it.
const (
	codeNoPeers          jetstream.ErrorCode = 10005
	codeNotClustered     jetstream.ErrorCode = 10074
	codeMaxBytesRequired jetstream.ErrorCode = 10113
)

// makeStream makes the stream and returns how many replicas it has. Without a
// configured number it asks for those of a cluster first: only the servers know
// whether they are one. Counting those that are up would be wrong while they start.
func (l *Log) makeStream(ctx context.Context, g evt.Generation) (int, error) {
	replicas := l.config.Replicas
	if replicas == 0 {
		replicas = clusterReplicas
	}
	err := l.WhileStarting(ctx, func() error {
		_, err := l.js.CreateStream(ctx, evt.Definition(g, replicas))
		return settingsAdvice(err, replicas)
	})
	if l.config.Replicas == 0 && hasCode(err, codeNotClustered) {
		replicas = 1
		err = l.WhileStarting(ctx, func() error {
			_, err := l.js.CreateStream(ctx, evt.Definition(g, replicas))
			return settingsAdvice(err, replicas)
		})
	}
	return replicas, err
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	var e *jetstream.APIError
	return errors.As(err, &e) && e.ErrorCode == code
}

// settingsAdvice adds to an error what the operator can do about it.
func settingsAdvice(err error, replicas int) error {
	switch {
	case hasCode(err, codeNoPeers):
		return fmt.Errorf("%w: the log needs %d servers with space for it; start them, or choose another number with --nats-replicas", err, replicas)
	case hasCode(err, codeNotClustered):
		return fmt.Errorf("%w: a single server has 1 replica; say --nats-replicas 1, or nothing", err)
	case hasCode(err, codeNoResources), hasCode(err, codeStorageExceeded):
		return fmt.Errorf("%w: give the servers more space, or the log a lower limit with --log-max-bytes", err)
	case hasCode(err, codeMaxBytesRequired):
		return fmt.Errorf("%w: set the log's limit with --log-max-bytes", err)
	}
	return err
}

// checkSettings compares what the operator has told this node about a stream
// elsewhere with what the stream has. Nodes never change it: two that were told
// different things would undo each other's settings.
func (c Config) checkSettings(have jetstream.StreamConfig) error {
	if c.URL == "" {
		return nil
	}
	if c.Replicas != 0 && c.Replicas != have.Replicas {
		return fmt.Errorf("--nats-replicas is %d, but the stream %s has %d: correct the option or leave it out, or change the stream with `nats stream edit %s --replicas %d`",
			c.Replicas, StreamName, have.Replicas, StreamName, c.Replicas)
	}
	if c.MaxBytes != 0 && c.MaxBytes != have.MaxBytes {
		return fmt.Errorf("--log-max-bytes is %d, but the stream %s has %d: correct the option or leave it out, or change the stream with `nats stream edit %s --max-bytes %d`",
			c.MaxBytes, StreamName, have.MaxBytes, StreamName, c.MaxBytes)
	}
	return nil
}

// definition is what the stream must be. What the operator sets with NATS's own
// tools on servers elsewhere is taken as it is: where the stream lies, how often,
// and its limit, which refuses new events and never removes any.
func (l *Log) definition(have jetstream.StreamConfig) jetstream.StreamConfig {
	if l.config.URL == "" {
		return evt.Definition(l.generation, l.config.Replicas)
	}
	want := evt.Definition(l.generation, have.Replicas)
	want.MaxBytes, want.Placement = have.MaxBytes, have.Placement
	return want
}

// refuseLogHere fails when a data directory holds a log of its own, which servers
// elsewhere know nothing of.
func refuseLogHere(dir string) error {
	if _, err := evt.StoredConfig(dir); err == nil {
		return fmt.Errorf("%s holds a log of its own in %s, which --nats-url would leave unused: start without --nats-url, or name another directory with --data",
			dir, evt.ServerDir(dir))
	}
	return nil
}
