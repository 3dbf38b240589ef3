package streams

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/disk"
	"hubledger/streams/embedded"
	"hubledger/streams/evt"
)

// Open locks the data directory, starts the server or connects to it, waits
// until it has recovered, and makes the stream or verifies it.
//
// An error means that there is no log: the directory is in use (ErrLocked), or
// the server cannot be started or reached. A log that is there but is not what
// it was is opened read-only: ReadOnly says why, and every append is refused.
// When its files are damaged no server is started on them, since it would cut
// off whatever lies behind the damage; then every method answers ReadOnly's error.
func Open(ctx context.Context, c Config) (_ *Log, err error) {
	c = c.withDefaults()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	l := &Log{config: c, log: c.Logger, ballast: disk.NewBallast(filepath.Join(c.Dir, "ballast"), c.Ballast)}
	if l.lock, err = disk.LockDir(c.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	known, err := evt.ReadGeneration(c.Dir)
	if errors.Is(err, evt.ErrGenerationFile) {
		l.SetReadOnly(guardError(ReasonGeneration, "%v", err))
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	if known != nil {
		l.generation = *known
	}
	size := int64(0)
	if c.URL != "" {
		if err := refuseLogHere(c.Dir); err != nil {
			return nil, err
		}
	} else {
		size, err = checkFiles(ctx, c, l.generation)
		if found := (*GuardError)(nil); errors.As(err, &found) {
			l.SetReadOnly(found)
			return l, nil
		}
		if err != nil {
			return nil, fmt.Errorf("check the log's files: %w", err)
		}
	}
	if err := l.start(ctx, size); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	if err := l.openStream(ctx, known); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return l, nil
}

// start brings up the server, if it is ours, and connects. size is what the
// stream has on disk, in bytes.
func (l *Log) start(ctx context.Context, size int64) (err error) {
	opts := []nats.Option{
		nats.Name("hubledger"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectBufSize(-1), // an append that its caller gave up must not be sent later
	}
	if l.config.URL == "" {
		l.makeRoom()
		l.server, err = embedded.Start(ctx, embedded.Config{Dir: evt.ServerDir(l.config.Dir), Size: size,
			MaxPayload: evt.MaxMessageSize, Logger: l.config.Logger, Progress: l.config.Progress})
		if err != nil {
			return err
		}
		opts = append(opts, l.server.Connection())
	}
	err = l.WhileStarting(ctx, func() (err error) {
		l.conn, err = nats.Connect(l.config.URL, opts...)
		return err
	})
	if err != nil {
		return fmt.Errorf("connect to nats: %w", err)
	}
	if has := l.conn.MaxPayload(); has < evt.MaxMessageSize {
		return fmt.Errorf("the NATS server accepts messages of %d bytes, events can have %d: set its max_payload to 8MB", has, evt.MaxMessageSize)
	}
	if l.js, err = jetstream.New(l.conn); err != nil {
		return err
	}
	l.pub, err = newPublisher(l.conn)
	return err
}

// otherNodePause is how long to wait until the stream that another node has made
// is seen here, as an attempt for pause.
const otherNodePause = 7

// openStream makes EVT when there never was one, and verifies it otherwise.
func (l *Log) openStream(ctx context.Context, known *evt.Generation) error {
	info, err := l.awaitStream(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if known != nil {
			l.SetReadOnly(guardError(ReasonMissing, "the stream is gone"))
			return nil
		}
		err := l.createStream(ctx)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		// Another node was faster. Until the server that is asked has heard of it,
		// the stream is still not found.
		if err := pause(ctx, otherNodePause); err != nil {
			return err
		}
		return l.openStream(ctx, nil)
	}
	if err != nil {
		return err
	}
	state := info.state()
	if known == nil && (state.LastSeq == 0 || l.config.URL != "") {
		// The process ended between making the stream and writing generation.json, or
		// this is one more node of a cluster. A log of this directory with events would
		// have left that file; of one elsewhere the guard asks the journal.
		known = &evt.Generation{ID: state.Generation, Created: time.Now().UTC().Truncate(time.Second), MaxBytes: info.Config.MaxBytes}
		if err := known.Write(l.config.Dir); err != nil {
			return err
		}
	}
	if known == nil {
		l.generation.ID = state.Generation
		l.SetReadOnly(guardError(ReasonGeneration, "there is a log of generation %q, but no %s",
			state.Generation, evt.GenerationPath(l.config.Dir)))
		return nil
	}
	l.generation = known.Resized(info.Config.MaxBytes)
	l.observe(state)
	if err := l.config.checkSettings(info.Config); err != nil {
		return err
	}
	l.replicas = info.Config.Replicas
	if err := l.verifyStream(info); err != nil {
		l.SetReadOnly(err)
		return nil
	}
	if err := l.resize(ctx, state); err != nil {
		return err
	}
	if state.LastSeq == 0 {
		return nil
	}
	var last *events.Event
	err = l.WhileStarting(ctx, func() (err error) {
		last, err = l.Get(ctx, state.LastSeq)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		l.SetReadOnly(guardError(ReasonLost, "the last event, %d, cannot be read", state.LastSeq))
		return nil
	}
	if err != nil {
		return err
	}
	l.pub.notBefore(last.Time())
	return nil
}

// awaitStream asks until the servers answer: a cluster may be about to choose its leaders.
func (l *Log) awaitStream(ctx context.Context) (info *streamInfo, err error) {
	err = l.WhileStarting(ctx, func() error {
		info, err = l.streamInfo(ctx)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil // for the caller to decide
		}
		return err
	})
	if err == nil && info == nil {
		err = jetstream.ErrStreamNotFound
	}
	return info, err
}

func (l *Log) createStream(ctx context.Context) (err error) {
	limit := int64(noLimit)
	if l.config.URL == "" || l.config.MaxBytes > 0 {
		if limit, err = evt.ByteLimit(l.config.Dir, l.config.MaxBytes, 0); err != nil {
			return err
		}
	}
	g := evt.NewGeneration(limit)
	if l.replicas, err = l.makeStream(ctx, g); err != nil {
		return fmt.Errorf("create stream %s: %w", StreamName, err)
	}
	if err := g.Write(l.config.Dir); err != nil {
		return err
	}
	l.generation = g
	l.limit.Store(limit)
	return nil
}

// verifyStream compares what the server reports of the stream itself with what
// it must be. The result is nil or a *GuardError.
func (l *Log) verifyStream(info *streamInfo) error {
	s := info.state()
	if s.Generation != l.generation.ID {
		return guardError(ReasonGeneration, "the stream is generation %q, %s says %q",
			s.Generation, evt.GenerationPath(l.config.Dir), l.generation.ID)
	}
	if diff := evt.Differences(l.definition(info.Config), info.Config); len(diff) > 0 {
		return configError(diff)
	}
	if len(s.Lost) > 0 {
		return guardError(ReasonLost, "the server lost %d events, the first of them is %d", len(s.Lost), s.Lost[0])
	}
	if s.FirstSeq > 1 || s.Messages != s.LastSeq {
		return guardError(ReasonLost, "the log goes from %d to %d but has %d events", s.FirstSeq, s.LastSeq, s.Messages)
	}
	return nil
}

// resize sets the stream's byte limit to the configured one. If none is
// configured it raises the limit when the space on the disk has grown by a tenth.
// A stream elsewhere stays as it is.
func (l *Log) resize(ctx context.Context, s State) error {
	if l.config.URL != "" {
		return nil
	}
	limit, err := evt.ByteLimit(l.config.Dir, l.config.MaxBytes, int64(s.Bytes))
	if err != nil {
		return err
	}
	have := l.generation.MaxBytes
	if limit == have || l.config.MaxBytes == 0 && limit < have+have/10 {
		return nil
	}
	g := l.generation
	g.Resizing = limit
	if err := g.Write(l.config.Dir); err != nil {
		return err
	}
	g = g.Resized(limit)
	if _, err := l.js.UpdateStream(ctx, evt.Definition(g, l.config.Replicas)); err != nil {
		return fmt.Errorf("set the byte limit of stream %s: %w", StreamName, err)
	}
	if err := g.Write(l.config.Dir); err != nil {
		return err
	}
	l.log.Info("the log's byte limit was changed", "from", have, "to", limit)
	l.generation = g
	l.limit.Store(limit)
	return nil
}
