package streams

import (
	"cmp"
	"log/slog"

	"hubledger/streams/evt"
)

// StreamName is the stream that is the log.
const StreamName = evt.StreamName

// Config says where the log is and how it is watched.
type Config struct {
	// Dir is the data directory. Dir/lock is locked while the log is open,
	// Dir/generation.json names the log's generation and, when the server is
	// embedded, Dir/nats holds the stream. It is made when it is missing.
	Dir string

	// URL is that of a NATS server or cluster with JetStream. Its servers must
	// run with sync_interval: always. Empty: a server is embedded, reachable
	// from this process only.
	URL string

	// MaxBytes limits the stream, in bytes. With 0 and an embedded server: what
	// the stream has plus what is free on the disk of Dir, computed when the stream
	// is made and again at a start when it has grown; the limit is lowered only by
	// another MaxBytes. With 0 and a URL: no limit but the servers' own.
	MaxBytes int64

	// Replicas of a stream that is made on servers elsewhere. 0: 3 on a cluster,
	// 1 on a single server. An embedded server has 1.
	Replicas int

	// The node that makes the stream on servers elsewhere sets MaxBytes and
	// Replicas. A later one never changes them: see checkSettings.

	// Reserve reports whether the disk's reserve is still free. While it is not,
	// Append accepts only events that relieve; see events.Relieves. It is asked
	// on every append and must be cheap. Nil: there is no reserve.
	Reserve func() bool

	// Ballast is how many bytes of the disk an embedded server keeps occupied, to
	// give them back for events that relieve when the disk is full. 0: none.
	Ballast int64

	// Logger gets the log's own messages and those of the embedded server.
	// Nil: slog.Default.
	Logger *slog.Logger

	// Progress is called about every second of a long start, with what is being
	// done and how many of total bytes are done; total is 0 where that is not known. It is called from several goroutines, one at a time. Nil:
	// progress is not reported.
	Progress func(msg string, done, total int64)
}

func (c Config) withDefaults() Config {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.URL == "" {
		c.Replicas = 1
	}
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	return c
}
