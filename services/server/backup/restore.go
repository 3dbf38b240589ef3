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
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/durable"
	"hubledger/streams/disk"
	"hubledger/streams/restore"
)

// ErrOccupied: a data directory is not empty.
var ErrOccupied = errors.New("the data directory is not empty: name one that is not there yet with --data; if this is the rest of a restore that was interrupted, remove it first")

// A Restored hub.
type Restored struct {
	Generation string          `json:"generation"` // of its log
	Previous   string          `json:"previous"`   // that of the backup
	Events     uint64          `json:"events"`     // of the backup
	Secrets    int             `json:"secrets"`
	Blobs      int             `json:"blobs"`
	BlobBytes  int64           `json:"blobBytes"`
	Redacted   []uint64        `json:"redacted,omitempty"`  // see Redaction
	Redaction  uint64          `json:"redaction,omitempty"` // sequence of the event that says so, behind those of the backup
	Lost       []digest.Digest `json:"lost,omitempty"`      // blobs that the backup has lost; see Options
}

// Options of a restore.
type Options struct {
	// Point is the id of the backup that is restored, of those that are kept; "": the last one.
	// The secrets are those of the last one all the same.
	Point string
	// Redaction says whether what events said is left out. The log of the hub says so, too.
	Redaction Redaction
	// AcceptLoss leaves out blobs that are missing in the backup, or damaged.
	AcceptLoss bool
	// Progress is called now and then; total is 0 where it is not known.
	Progress func(done, total int64, unit string)
}

// Restore makes a hub of a complete backup in a directory, in a data directory that is empty
// or not there. Everything is compared with its hashes; what fails leaves no log in
// the data directory. ErrDamaged, ErrOccupied.
func Restore(ctx context.Context, dir, data string, o Options) (r Restored, err error) {
	last, err := ReadSummary(dir)
	if err != nil {
		return r, err
	}
	summary := last
	if o.Point != "" {
		if summary, err = ReadPoint(dir, o.Point); err != nil {
			return r, err
		}
	}
	redaction, err := o.Redaction.check(summary)
	if err != nil {
		return r, err
	}
	if err := CheckEmpty(data); err != nil {
		return r, err
	}
	// Whatever is wrong with the log is found before hours go into blobs.
	err = Events(ctx, dir, summary, func(e *events.Event, _ events.Leaf) error {
		if e.Seq%1000 == 0 || e.Seq == summary.Events {
			o.Progress(int64(e.Seq), int64(summary.Events), "events")
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if err := durable.MakeDir(durable.OS{}, data, data); err != nil {
		return r, err
	}
	lock, err := disk.LockDir(data)
	if err != nil {
		return r, err
	}
	defer lock.Release()
	// A hub is there when its log is: that comes last.
	if err := restoreBlobs(ctx, dir, data, summary, o, &r); err != nil {
		return r, errors.Join(err, removeBlobs(data))
	}
	made, err := restore.Run(ctx, restore.Config{Dir: data, Lock: lock, Logger: slog.New(slog.DiscardHandler),
		Secrets: func(each func(string, []byte) error) error {
			return Secrets(dir, last, func(key string, sealed []byte) error {
				r.Secrets++
				return each(key, sealed)
			})
		},
		Progress: func(_ string, done, total int64) {
			o.Progress(done, max(total, int64(summary.Events)), "events")
		},
	}, restore.Copy{Generation: summary.Generation, Entries: entries(ctx, dir, summary, redaction), New: redaction.adds()})
	if err != nil {
		return r, errors.Join(err, removeBlobs(data))
	}
	r.Generation, r.Previous, r.Events = made.Generation.ID, summary.Generation, summary.Events
	if r.Redacted = redaction.Events; redaction.adds() > 0 {
		r.Redaction = made.Events
	}
	return r, nil
}

// CheckEmpty says whether a hub can be made in a data directory: nothing is there but what
// a lock needs, or a key file. ErrOccupied.
func CheckEmpty(data string) error {
	list, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		if e.Name() != "lock" && e.Name() != "secrets.key" && e.Name() != "tls" {
			return fmt.Errorf("%s has %s: %w", data, e.Name(), ErrOccupied)
		}
	}
	return err
}

func restoreBlobs(ctx context.Context, dir, data string, summary Summary, o Options, r *Restored) error {
	dirs := newBlobDirs(durable.OS{}, data)
	return listedBlobs(dir, summary, func(b listed) error {
		f, err := os.Open(b.path(dir))
		if err == nil {
			err = dirs.writeBlob(ctx, b.path(data), b.Digest, f)
			f.Close()
		}
		switch {
		case errors.Is(err, ErrDamaged), errors.Is(err, fs.ErrNotExist):
			if !o.AcceptLoss {
				return fmt.Errorf("blob %s is missing or not what was written: %w; --accept-loss restores everything else", b.Digest, ErrDamaged)
			}
			r.Lost = append(r.Lost, b.Digest)
			return nil
		case err != nil:
			return err
		}
		r.Blobs++
		r.BlobBytes += b.Size
		o.Progress(r.BlobBytes, summary.BlobBytes, "bytes")
		return nil
	})
}

func removeBlobs(data string) (err error) {
	for _, name := range stores {
		err = errors.Join(err, os.RemoveAll(filepath.Join(data, name)))
	}
	return err
}

// entries are those of a restored log: the events of the backup without what was redacted,
// and behind them the one that says so.
func entries(ctx context.Context, dir string, summary Summary, redaction Redaction) iter.Seq2[restore.Entry, error] {
	return func(yield func(restore.Entry, error) bool) {
		enough := errors.New("enough")
		var last time.Time
		err := Events(ctx, dir, summary, func(e *events.Event, leaf events.Leaf) error {
			last = e.Time()
			entry := restore.Entry{Event: *e, Leaf: leaf}
			if _, taken := slices.BinarySearch(redaction.Events, e.Seq); taken {
				entry.Event = events.Redact(e)
			}
			if !yield(entry, nil) {
				return enough
			}
			return nil
		})
		if err == nil && redaction.adds() > 0 {
			var e events.Event
			if e, err = redaction.event(summary, last); err == nil {
				yield(restore.Entry{Event: e, Leaf: events.LeafOf(&e)}, nil)
			}
		}
		if err != nil && !errors.Is(err, enough) {
			yield(restore.Entry{}, err)
		}
	}
}
