package sqlitestore

import (
	"log/slog"
	"os"
)

// NoCheckpoints is the pragma of a connection that writes to a file which a
// Checkpointer looks after.
const NoCheckpoints = "wal_autocheckpoint(0)"

const (
	checkpointPages = 4000     // start one after about so many pages
	walLimit        = 64 << 20 // bytes; from here on a checkpoint makes readers and the writer wait
)

// A Checkpointer moves the write-ahead log of one file into the file, beside the one
// that writes it, so that no commit waits for that. Only the writer calls Wrote and
// Close.
type Checkpointer struct {
	path  string
	log   *slog.Logger
	dirty int // estimated pages in the write-ahead log since the last checkpoint began
	work  chan struct{}
	done  chan struct{}
}

// NewCheckpointer checkpoints the file at path. It counts from now on: what an
// earlier process left in the write-ahead log goes with the first checkpoint. Close it.
func NewCheckpointer(path string, log *slog.Logger) *Checkpointer {
	c := &Checkpointer{path: path, log: log, work: make(chan struct{}, 1), done: make(chan struct{})}
	go c.run()
	return c
}

// Wrote counts about how many pages a commit has written, and starts a checkpoint
// when they are many.
func (c *Checkpointer) Wrote(pages int) {
	if c.dirty += pages; c.dirty < checkpointPages {
		return
	}
	c.dirty = 0
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// Close ends the checkpoint that runs.
func (c *Checkpointer) Close() {
	close(c.work)
	<-c.done
}

func (c *Checkpointer) run() {
	defer close(c.done)
	for range c.work {
		if err := c.checkpoint(); err != nil {
			c.log.Warn("checkpoint", "file", c.path, "error", err)
		}
	}
}

// checkpoint connects for the time that it takes, so that it keeps no memory.
func (c *Checkpointer) checkpoint() error {
	mode := "PASSIVE"
	if info, err := os.Stat(c.path + "-wal"); err == nil && info.Size() > walLimit {
		mode = "TRUNCATE"
	}
	conn, err := dial(c.path, "mode=rw", "busy_timeout(100)", "synchronous(NORMAL)")
	if err != nil {
		return err
	}
	defer conn.Close()
	return execAll(conn, "PRAGMA wal_checkpoint("+mode+")")
}
