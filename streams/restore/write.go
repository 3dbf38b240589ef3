package restore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/embedded"
	"hubledger/streams/evt"
	"hubledger/streams/secrets"
)

// Bounds of what was sent to the server and is not acknowledged yet.
const (
	pendingMessages = 512
	pendingBytes    = 32 << 20
)

// recentLeaves is how many of the copy's last events the old files are
// compared with before anything is taken from them.
const recentLeaves = 1000

// writeLog writes a new log in c.Dir: the copy, then what the old files have
// behind it. It returns the hash of all leaves. The server does not sync each
// message: the files are synced as a whole before they are put in place.
func writeLog(ctx context.Context, c Config, r *Result, copied iter.Seq2[Entry, error], old *oldFiles) (sum [sha256.Size]byte, err error) {
	server, err := embedded.Start(ctx, embedded.Config{Dir: evt.ServerDir(c.Dir), NoSync: true, MaxPayload: evt.MaxMessageSize,
		Logger: c.Logger, Progress: c.Progress})
	if err != nil {
		return sum, err
	}
	defer server.Stop()
	conn, err := nats.Connect("", server.Connection())
	if err != nil {
		return sum, fmt.Errorf("connect to nats: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return sum, err
	}
	if _, err := js.CreateStream(ctx, evt.Definition(r.Generation, 1)); err != nil {
		return sum, err
	}
	w := writer{js: js, leaves: sha256.New(), recent: map[uint64]events.Leaf{}}
	for entry, err := range copied {
		if err != nil {
			return sum, fmt.Errorf("read the copy: %w", err)
		}
		if events.LeafOf(&entry.Event) != entry.Leaf {
			return sum, fmt.Errorf("event %d of the copy does not match its own leaf", entry.Event.Seq)
		}
		if err := w.write(ctx, entry.Event); err != nil {
			return sum, err
		}
		w.report(c.Progress, old.last)
	}
	inCopy := w.last
	for e, err := range old.after(ctx, inCopy, w.recent) {
		if err != nil {
			return sum, err
		}
		if err := w.write(ctx, e); err != nil {
			return sum, err
		}
		w.report(c.Progress, old.last)
	}
	if err := w.flush(ctx); err != nil {
		return sum, err
	}
	if c.Secrets != nil {
		if err := secrets.Load(ctx, js, c.Secrets); err != nil {
			return sum, fmt.Errorf("write the secrets: %w", err)
		}
	}
	r.Events, r.Salvaged = w.last, w.last-inCopy
	w.leaves.Sum(sum[:0])
	return sum, nil
}

// A writer appends events that have their sequence already.
type writer struct {
	js       jetstream.JetStream
	last     uint64
	leaves   hash.Hash
	recent   map[uint64]events.Leaf // of the last recentLeaves events
	pending  []jetstream.PubAckFuture
	size     int
	reported time.Time
}

func (w *writer) write(ctx context.Context, e events.Event) error {
	if e.Seq != w.last+1 {
		return fmt.Errorf("event %d follows event %d", e.Seq, w.last)
	}
	m, err := evt.NewMessage(&e)
	if err != nil {
		return err
	}
	// Ids matter within the duplicate window only; older ones would all be
	// kept in memory, since the server takes them for new.
	if time.Since(e.Time()) > evt.DuplicateWindow {
		delete(m.Header, jetstream.MsgIDHeader)
	}
	m.Header[jetstream.ExpectedLastSeqHeader] = []string{strconv.FormatUint(w.last, 10)}
	ack, err := w.js.PublishMsgAsync(m)
	if err != nil {
		return err
	}
	leaf := events.LeafOf(&e)
	w.leaves.Write(leaf[:])
	w.last = e.Seq
	w.recent[e.Seq] = leaf
	delete(w.recent, e.Seq-recentLeaves)
	w.pending = append(w.pending, ack)
	w.size += len(e.Data)
	if len(w.pending) >= pendingMessages || w.size >= pendingBytes {
		return w.flush(ctx)
	}
	return nil
}

// flush waits until everything written is acknowledged.
func (w *writer) flush(ctx context.Context) error {
	for _, ack := range w.pending {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	w.pending, w.size = w.pending[:0], 0
	return nil
}

func (w *writer) report(progress func(string, int64, int64), total uint64) {
	if time.Since(w.reported) > time.Second {
		w.reported = time.Now()
		progress("rebuilding the log (events)", int64(w.last), int64(max(total, w.last)))
	}
}
