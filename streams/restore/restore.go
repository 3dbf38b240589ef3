// Package restore makes the log of a data directory anew, offline: from the
// journal, or from what the log's own files still hold.
package restore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/streams/blockfile"
	"hubledger/streams/disk"
	"hubledger/streams/evt"
	"hubledger/streams/secrets"
)

// Config says which log is restored. It is always that of an embedded server;
// a cluster is restored from a backup of its stream.
type Config struct {
	// Dir is the data directory. It is made when it is missing.
	Dir string

	// Lock is the lock on Dir, when the caller has it already. Nil: Run takes it.
	Lock *disk.Lock

	// MaxBytes limits the new stream, in bytes; see streams.Config.
	MaxBytes int64

	// Logger gets warnings and the messages of the server that writes the new
	// files. Nil: slog.Default.
	Logger *slog.Logger

	// Known is what is known about the old log beside its own files and seal:
	// how far projections and the operational store had followed it.
	Known []Known

	// AcceptLoss lets the new log have fewer events than the old one is known to
	// have had, or be made without a copy. Otherwise that is a *LossError, and
	// nothing is changed.
	AcceptLoss bool

	// Secrets calls each with the secrets, encrypted, that the new log has beside it; see
	// secrets.Bucket.Sealed. Nil: those of the old one are taken over.
	Secrets func(each func(key string, sealed []byte) error) error

	// Progress is called about every second with what is being done and how much
	// of it; total is 0 where that is not known. Nil: progress is not reported.
	Progress func(msg string, done, total int64)
}

func (c Config) withDefaults() Config {
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	return c
}

// An Entry is one event of a second copy of the log, with its leaf there.
type Entry struct {
	Event events.Event
	Leaf  events.Leaf
}

// A Copy is a second copy of the log: the journal. The zero Copy has no events.
type Copy struct {
	// Generation is the id of the log's generation that it was made of.
	Generation string
	// Entries are its events, in the order of the log and from the first on.
	Entries iter.Seq2[Entry, error]
	// New is how many of the last entries no earlier generation has had.
	New uint64
}

// A Result says what a restored log consists of.
type Result struct {
	Generation evt.Generation
	Events     uint64 // in the new log
	Salvaged   uint64 // of them from the old log's files, behind the end of the copy
	OldLast    uint64 // the highest sequence that the old log is known to have had
	Witness    string // what knows that sequence
	Aside      string // where the old files are now, "" when there were none
}

// Run makes the log anew from a copy of its events. Every event keeps its
// sequence, subject, attributes and data, so every leaf stays the same. Events
// that the old files still have behind the copy's last one are taken over too:
// with the zero Copy, what is readable at the beginning of the old files. The new
// log is a new generation that names the old one and its last sequence. The
// projections of the old one must be put aside afterwards.
//
// The error is a *LossError when events would be lost, and wraps ErrForeign when the copy is one of another log.
//
// The old files are moved aside, in one step and only after the new ones are
// complete, verified and on disk. Whatever fails before leaves them in place.
func Run(ctx context.Context, c Config, from Copy) (r Result, err error) {
	c = c.withDefaults()
	alone := from.Entries == nil
	if alone {
		from.Entries = func(func(Entry, error) bool) {}
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return r, err
	}
	if c.Lock == nil {
		lock, err := disk.LockDir(c.Dir)
		if err != nil {
			return r, err
		}
		defer lock.Release()
	}
	if err := undoInterruptedReplacement(c); err != nil {
		return r, err
	}
	old, err := readOldFiles(ctx, c, from.Generation)
	if err != nil {
		return r, err
	}
	limit, err := evt.ByteLimit(c.Dir, c.MaxBytes, blockfile.Size(old.blocks))
	if err != nil {
		return r, err
	}
	r.Generation = evt.NewGeneration(limit)
	r.Generation.Previous, r.Generation.PreviousLast = old.generation, old.last
	r.OldLast, r.Witness = old.last, old.witness

	fresh := c
	fresh.Dir = filepath.Join(c.Dir, "restoring")
	if err := os.RemoveAll(fresh.Dir); err != nil {
		return r, err
	}
	defer os.RemoveAll(fresh.Dir) // what was put in place is not in it any more
	if err := os.MkdirAll(fresh.Dir, 0o700); err != nil {
		return r, err
	}
	written, err := writeLog(ctx, fresh, &r, from.Entries, old)
	if err != nil {
		return r, fmt.Errorf("rebuild the log: %w", err)
	}
	r.Generation.Kept = r.Events - min(from.New, r.Events)
	if (alone || r.Events < r.OldLast) && !c.AcceptLoss {
		return r, &LossError{Events: r.Events, Last: r.OldLast, Witness: r.Witness}
	}
	if err := verifyFresh(ctx, fresh, r.Events, written); err != nil {
		return r, fmt.Errorf("rebuild the log: %w", err)
	}
	if c.Secrets == nil {
		if err := copySecrets(c, fresh); err != nil {
			return r, fmt.Errorf("copy the secrets: %w", err)
		}
	}
	return r, r.putInPlace(c, fresh)
}

// copySecrets copies the bucket of secrets, which lies beside the log and is
// in no journal, from the old files to the new ones.
func copySecrets(c, fresh Config) error {
	from, to := evt.StreamDir(c.Dir, secrets.StreamName), evt.StreamDir(fresh.Dir, secrets.StreamName)
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return disk.SyncTree(to)
}

// verifyFresh reads the new files and compares their leaves, all in one hash,
// with those that were written.
func verifyFresh(ctx context.Context, c Config, n uint64, written [sha256.Size]byte) error {
	blocks, err := evt.Blocks(c.Dir)
	if err != nil {
		return err
	}
	progress := func(done, total int64) { c.Progress("checking the log", done, total) }
	if last, err := blockfile.Verify(ctx, blocks, c.Logger, progress); err != nil || last != n {
		return fmt.Errorf("the new log has %d events, %d were written: %w", last, n, err)
	}
	read := sha256.New()
	err = blockfile.Scan(ctx, blocks, 1, n, func(r blockfile.Record) error {
		e := evt.FromRecord(r)
		leaf := events.LeafOf(&e)
		read.Write(leaf[:])
		return nil
	})
	if err != nil {
		return err
	}
	if [sha256.Size]byte(read.Sum(nil)) != written {
		return errors.New("the new log does not hold what was written")
	}
	return disk.SyncTree(evt.ServerDir(c.Dir))
}

// putInPlace exchanges the old files for the new. Interrupted anywhere, it
// leaves a directory that the guard refuses and that can be restored again.
func (r *Result) putInPlace(c, fresh Config) error {
	if _, err := os.Stat(evt.ServerDir(c.Dir)); err == nil {
		r.Aside = fmt.Sprint(evt.ServerDir(c.Dir), asideSuffix, time.Now().UTC().Format("20060102T150405.000Z"))
		if err := os.Rename(evt.ServerDir(c.Dir), r.Aside); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(evt.ServerDir(fresh.Dir), evt.ServerDir(c.Dir)); err != nil {
		return err
	}
	return r.Generation.Write(c.Dir)
}

// undoInterruptedReplacement puts the old files back when an earlier replacement
// ended after moving them aside and before putting the new ones in place.
func undoInterruptedReplacement(c Config) error {
	if _, err := os.Stat(evt.ServerDir(c.Dir)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	aside, err := filepath.Glob(evt.ServerDir(c.Dir) + asideSuffix + "*")
	if err != nil || len(aside) == 0 {
		return err
	}
	return os.Rename(slices.Max(aside), evt.ServerDir(c.Dir))
}

// asideSuffix and the time are appended to the name of files that were replaced.
const asideSuffix = "-replaced-"
