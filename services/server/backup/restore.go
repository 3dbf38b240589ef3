package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/streams/restore"
)

// ErrOccupied: a data directory has a hub already.
var ErrOccupied = errors.New("there is a hub in this data directory already: name another one with --data")

// A Restored hub.
type Restored struct {
	Generation string `json:"generation"` // of its log
	Previous   string `json:"previous"`   // that of the backup
	Events     uint64 `json:"events"`
	Secrets    int    `json:"secrets"`
	Blobs      int    `json:"blobs"`
	BlobBytes  int64  `json:"blobBytes"`
}

// Restore makes a hub of a backup in a data directory that has none. Everything is compared
// with its hashes; what fails leaves no log in the data directory. ErrDamaged, ErrOccupied.
func Restore(ctx context.Context, dir, data string, progress func(done, total int64, unit string)) (r Restored, err error) {
	for _, name := range []string{"nats", "projections", "registry", "build-logs", "generation.json"} {
		if _, err := os.Lstat(filepath.Join(data, name)); err == nil {
			return r, ErrOccupied
		} else if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	summary, err := ReadSummary(dir)
	if err != nil {
		return r, err
	}
	list, err := Segments(dir)
	if err != nil {
		return r, err
	}
	if n := len(list); n == 0 || list[n-1].Last < summary.Events {
		return r, fmt.Errorf("the segments end before event %d, which it had: %w", summary.Events, ErrDamaged)
	}
	if list[0].Generation != summary.Generation {
		return r, fmt.Errorf("the segments are of generation %s, the backup is of %s: %w", list[0].Generation, summary.Generation, ErrDamaged)
	}
	// Whatever is wrong with the log is found before hours go into blobs.
	last := list[len(list)-1].Last
	err = Events(ctx, dir, func(e *events.Event, _ events.Leaf) error {
		if e.Seq%1000 == 0 || e.Seq == last {
			progress(int64(e.Seq), int64(last), "events")
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	// A hub is there when its log is: that comes last.
	if err := restoreBlobs(ctx, dir, data, func(size int64) {
		r.Blobs++
		r.BlobBytes += size
		progress(r.BlobBytes, max(summary.BlobBytes, r.BlobBytes), "bytes")
	}); err != nil {
		return r, errors.Join(err, removeBlobs(data))
	}
	made, err := restore.Run(ctx, restore.Config{Dir: data, Logger: slog.New(slog.DiscardHandler),
		Secrets: func(each func(string, []byte) error) error {
			return Secrets(dir, func(key string, sealed []byte) error {
				r.Secrets++
				return each(key, sealed)
			})
		},
		Progress: func(_ string, done, total int64) { progress(done, max(total, int64(last)), "events") },
	}, restore.Copy{Generation: summary.Generation, Entries: entries(ctx, dir)})
	if err != nil {
		return r, errors.Join(err, removeBlobs(data))
	}
	r.Generation, r.Previous, r.Events = made.Generation.ID, summary.Generation, made.Events
	return r, nil
}

// stores are the directories with blobs, in a backup as in a data directory.
var stores = []string{"registry", "build-logs"}

func restoreBlobs(ctx context.Context, dir, data string, count func(size int64)) error {
	for _, name := range stores {
		err := Blobs(filepath.Join(dir, name), func(d digest.Digest, path string, size int64) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := CopyBlob(blobPath(filepath.Join(data, name), d), d, f); err != nil {
				return err
			}
			count(size)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func removeBlobs(data string) (err error) {
	for _, name := range stores {
		err = errors.Join(err, os.RemoveAll(filepath.Join(data, name)))
	}
	return err
}

func entries(ctx context.Context, dir string) iter.Seq2[restore.Entry, error] {
	return func(yield func(restore.Entry, error) bool) {
		enough := errors.New("enough")
		err := Events(ctx, dir, func(e *events.Event, leaf events.Leaf) error {
			if !yield(restore.Entry{Event: *e, Leaf: leaf}, nil) {
				return enough
			}
			return nil
		})
		if err != nil && !errors.Is(err, enough) {
			yield(restore.Entry{}, err)
		}
	}
}
