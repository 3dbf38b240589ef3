// Package wal moves the write-ahead logs of SQLite files into the files, beside
// the one that writes them, so that no commit waits for it.
package wal

import (
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// WriterPragma leaves the checkpoints of a connection that writes to a Checkpointer.
const WriterPragma = "wal_autocheckpoint(0)"

const (
	checkpointPages = 4000     // start one after about so many pages
	walLimit        = 64 << 20 // bytes; from here on a checkpoint makes readers and the writer wait
)

// A Checkpointer checkpoints one file. Wrote and Close are the writer's to call.
type Checkpointer struct {
	path  string
	log   *slog.Logger
	dirty int // estimated pages in the write-ahead log since the last checkpoint began
	work  chan struct{}
	done  chan struct{}
}

// NewCheckpointer begins with an empty write-ahead log. Close it.
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
func (c *Checkpointer) checkpoint() (err error) {
	mode := "PASSIVE"
	if info, err := os.Stat(c.path + "-wal"); err == nil && info.Size() > walLimit {
		mode = "TRUNCATE"
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: c.path}).EscapedPath()+"?mode=rw&_pragma=busy_timeout(100)&_pragma=synchronous(NORMAL)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Exec("PRAGMA wal_checkpoint(" + mode + ")")
	return err
}
