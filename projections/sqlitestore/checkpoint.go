package sqlitestore

import (
	"log/slog"
	"os"
)

const (
	checkpointPages = 4000     // start one after about so many pages
	walLimit        = 64 << 20 // bytes; from here on a checkpoint makes readers and the writer wait
)

// A checkpointer moves the write-ahead log into the database file beside the
// writer, and gives memory back when nothing happens.
type checkpointer struct {
	path string
	log  *slog.Logger
	work chan struct{}
	done chan struct{}
}

func newCheckpointer(path string, log *slog.Logger) *checkpointer {
	c := &checkpointer{path, log, make(chan struct{}, 1), make(chan struct{})}
	go c.run()
	return c
}

func (c *checkpointer) wake() {
	select {
	case c.work <- struct{}{}:
	default:
	}
}

func (c *checkpointer) run() {
	defer close(c.done)
	for range c.work {
		if err := c.checkpoint(); err != nil {
			c.log.Warn("checkpoint", "file", c.path, "error", err)
		}
	}
}

func (c *checkpointer) checkpoint() error {
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

func (c *checkpointer) close() {
	close(c.work)
	<-c.done
}
