// Package buildlog keeps what builds write, in a stream beside the log, while they
// run and for a while afterwards.
package buildlog

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamName is the stream, and subjectPrefix begins its subjects:
// log.<build id>.
const (
	StreamName    = "BUILDLOG"
	subjectPrefix = "log."
)

// MaxChunk bounds a chunk, in bytes.
const MaxChunk = 256 << 10

const (
	stepHeader     = "Build-Step"
	requestTimeout = 10 * time.Second
)

// A Chunk is a piece of what a build wrote: any bytes, not necessarily whole lines.
type Chunk struct {
	Seq  uint64 // of the stream: later chunks have higher ones
	Time time.Time
	Step int // number of the step; 0 for the build itself
	Data []byte
}

// A Store keeps the logs of builds. Its methods may be called from several goroutines.
type Store struct {
	config Config
	stream jetstream.Stream
}

// Append adds a chunk to the log of a build. The error wraps events.ErrReadOnly or
// events.ErrNoSpace when nothing may be written.
func (s *Store) Append(ctx context.Context, build string, step int, data []byte) error {
	subject, err := subjectOf(build)
	if err != nil {
		return err
	}
	if len(data) > MaxChunk {
		return fmt.Errorf("a chunk of a build's log has %d bytes, %d are allowed", len(data), MaxChunk)
	}
	if err := s.config.Room(len(data)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m := nats.NewMsg(subject)
	m.Header.Set(stepHeader, strconv.Itoa(step))
	m.Data = data
	if _, err := s.config.JetStream.PublishMsg(ctx, m); err != nil {
		return fmt.Errorf("keep the log of a build: %w", err)
	}
	return nil
}

// Read returns the chunks of a build behind a sequence, in order: the first ones,
// until they have max bytes together. None means that there is nothing more yet.
func (s *Store) Read(ctx context.Context, build string, after uint64, max int) (list []Chunk, err error) {
	subject, err := subjectOf(build)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for size := 0; size < max; {
		m, err := s.stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the log of a build: %w", err)
		}
		step, _ := strconv.Atoi(m.Header.Get(stepHeader))
		list = append(list, Chunk{m.Sequence, m.Time, step, m.Data})
		after, size = m.Sequence, size+len(m.Data)
	}
	return list, nil
}

// Drop takes away what a build wrote.
func (s *Store) Drop(ctx context.Context, build string) error {
	subject, err := subjectOf(build)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
		return fmt.Errorf("take away the log of a build: %w", err)
	}
	return nil
}

// Builds are those of which something is kept, in no order.
func (s *Store) Builds(ctx context.Context) (list []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := s.stream.Info(ctx, jetstream.WithSubjectFilter(subjectPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("list the logs of builds: %w", err)
	}
	for subject := range info.State.Subjects {
		list = append(list, strings.TrimPrefix(subject, subjectPrefix))
	}
	return list, nil
}

var buildSyntax = regexp.MustCompile(`^[0-9a-f-]{36}$`)

func subjectOf(build string) (string, error) {
	if !buildSyntax.MatchString(build) {
		return "", fmt.Errorf("%.80q is not the id of a build", build)
	}
	return subjectPrefix + build, nil
}
