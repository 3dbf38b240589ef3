package streams

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hubledger/events"
)

// An Entry is one event of a second copy of the log, with its leaf there.
type Entry struct {
	Event events.Event
	Leaf  events.Leaf
}

// Restored says what a restored log consists of.
type Restored struct {
	Generation Generation
	Events     uint64 // in the new log
	Salvaged   uint64 // of them from the old log's files, behind the end of the copy
	OldLast    uint64 // the highest sequence that the old log is known to have had
	Aside      string // where the old files are now, "" when there were none
}

// Restore makes the log of an embedded server anew, offline, from a copy of
// its events in order: the journal. Every event keeps its sequence, subject,
// attributes and data, so every leaf stays the same. Events that the old
// files still have behind the copy's last one are taken over too. The new log
// is a new generation that names the old one and its last sequence.
//
// The old files are moved aside, in one step and only after the new ones are
// complete, verified and on disk. Whatever fails before leaves them in place.
func Restore(ctx context.Context, c Config, copied iter.Seq2[Entry, error]) (Restored, error) {
	return rebuild(ctx, c, copied)
}

// Accept makes a new generation of what is readable at the beginning of the
// log's own files: for a log that has lost something when there is no journal
// to restore it from. What lies behind the loss is given up. All projections
// must be deleted afterwards: they know more than the log does.
func Accept(ctx context.Context, c Config) (Restored, error) {
	return rebuild(ctx, c, func(func(Entry, error) bool) {})
}

func rebuild(ctx context.Context, c Config, copied iter.Seq2[Entry, error]) (r Restored, err error) {
	c = c.withDefaults()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return r, err
	}
	if c.URL != "" {
		return r, errors.New("only the log of an embedded server can be rebuilt; restore a cluster from a backup of its stream")
	}
	lock, err := lockDir(c.Dir)
	if err != nil {
		return r, err
	}
	defer lock.release()
	if err := undoHalfReplacement(c); err != nil {
		return r, err
	}
	old, err := readOld(c)
	if err != nil {
		return r, err
	}
	have := int64(0)
	for _, b := range old.blocks {
		have += b.size
	}
	limit, err := byteLimit(c, have)
	if err != nil {
		return r, err
	}
	r.Generation = newGeneration(limit)
	r.Generation.Previous, r.Generation.PreviousLast = old.generation, old.last
	r.OldLast = old.last

	fresh := c
	fresh.Dir = filepath.Join(c.Dir, "restoring")
	if err := os.RemoveAll(fresh.Dir); err != nil {
		return r, err
	}
	if err := os.MkdirAll(fresh.Dir, 0o700); err != nil {
		return r, err
	}
	written, err := refill(ctx, fresh, &r, copied, old)
	if err != nil {
		return r, fmt.Errorf("rebuild the log: %w", err)
	}
	if err := verifyFresh(ctx, fresh, r.Events, written); err != nil {
		return r, fmt.Errorf("rebuild the log: %w", err)
	}
	if err := carrySecrets(c, fresh); err != nil {
		return r, fmt.Errorf("take the secrets over: %w", err)
	}
	return r, r.putInPlace(c, fresh)
}

// carrySecrets copies the bucket of secrets, which lies beside the log and is
// in no journal, from the old files to the new ones.
func carrySecrets(c, fresh Config) error {
	from, to := c.secretsDir(), fresh.secretsDir()
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return syncTree(to)
}

// verifyFresh reads the new files and compares their leaves, all in one hash,
// with those that were written.
func verifyFresh(ctx context.Context, c Config, n uint64, written [sha256.Size]byte) error {
	blocks, err := listBlocks(c.storeDir())
	if err != nil {
		return err
	}
	if last, err := verifyBlocks(ctx, c, blocks, true); err != nil || last != n {
		return fmt.Errorf("the new log has %d events, %d were written: %w", last, n, err)
	}
	read := sha256.New()
	var buf []byte
	for _, b := range blocks {
		if buf, err = b.load(buf); err != nil {
			return err
		}
		if _, err := b.walk(buf, func(r record) error {
			e := r.event()
			leaf := events.LeafOf(&e)
			read.Write(leaf[:])
			return nil
		}); err != nil {
			return err
		}
	}
	if [sha256.Size]byte(read.Sum(nil)) != written {
		return errors.New("the new log does not hold what was written")
	}
	return syncTree(c.natsDir())
}

// putInPlace exchanges the old files for the new. Interrupted anywhere, it
// leaves a directory that the guard refuses, and that Restore can be run on.
func (r *Restored) putInPlace(c, fresh Config) error {
	if _, err := os.Stat(c.natsDir()); err == nil {
		r.Aside = fmt.Sprint(c.natsDir(), asideSuffix, time.Now().UTC().Format("20060102T150405.000Z"))
		if err := os.Rename(c.natsDir(), r.Aside); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh.natsDir(), c.natsDir()); err != nil {
		return err
	}
	if err := os.RemoveAll(fresh.Dir); err != nil {
		return err
	}
	return r.Generation.write(c.Dir)
}

// undoHalfReplacement puts the old files back when an earlier replacement
// ended after moving them aside and before putting the new ones in place.
func undoHalfReplacement(c Config) error {
	if _, err := os.Stat(c.natsDir()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	aside, err := filepath.Glob(c.natsDir() + asideSuffix + "*")
	if err != nil || len(aside) == 0 {
		return err
	}
	return os.Rename(slices.Max(aside), c.natsDir())
}

// asideSuffix and the time name the files of a log that was replaced.
const asideSuffix = "-replaced-"

// syncTree makes every file and name below a directory durable.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}
