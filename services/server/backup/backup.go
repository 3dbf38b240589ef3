// Package backup copies a hub into a directory while it runs, and reads such a copy: the
// log in segments that never change, the encrypted secrets, and the blobs.
//
//	log/000000000001-000000050000.jsonl.zst   events, one a line
//	log/000000000001-000000050000.json        what the segment is: Segment
//	secrets.jsonl                             encrypted secrets, one a line
//	registry/blobs/sha256/…, build-logs/blobs/…   as in a data directory
//	backup.json                               the last backup that was complete: Summary
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs"
)

var (
	// ErrForeign: a directory has the backup of another log.
	ErrForeign = errors.New("the directory has the backup of another log: name another directory")
	// ErrRunning: another backup of this hub has not ended yet.
	ErrRunning = errors.New("a backup is running already")
	// ErrDamaged: a backup is not what was written.
	ErrDamaged = errors.New("the backup is damaged")
)

// Config is what a backup is made of; all fields are required but those that say otherwise.
type Config struct {
	Generation string
	// Journal has the events; it is caught up with the log.
	Journal projections.DB
	// Secrets calls each with every secret as it is stored. Nil: they are left out.
	Secrets func(ctx context.Context, each func(key string, sealed []byte) error) error
	// Stores are those of blobs, by their directory in the data directory.
	Stores map[string]*blobs.Store
	// Rest runs fn while no blob is collected.
	Rest func(ctx context.Context, fn func(context.Context) error) error
	// Progress is called now and then; total is 0 where it is not known.
	Progress func(done, total int64, unit string)
}

// A Summary says what the last complete backup has.
type Summary struct {
	Generation string    `json:"generation"`
	Events     uint64    `json:"events"`
	Root       string    `json:"root"` // of the Merkle tree over their leaves, base64
	Secrets    int       `json:"secrets"`
	Blobs      int       `json:"blobs"` // with the logs of builds
	BlobBytes  int64     `json:"blobBytes"`
	Added      Added     `json:"added"` // by that backup, to what was there
	Time       time.Time `json:"time"`  // when it was complete
	// Damaged are the blobs that the hub has, but not as they should be: the backup lacks them.
	Damaged []digest.Digest `json:"damaged,omitempty"`
}

// Added is what a backup wrote; the rest was there from earlier ones.
type Added struct {
	Events    uint64 `json:"events"`
	Blobs     int    `json:"blobs"`
	BlobBytes int64  `json:"blobBytes"`
}

var running sync.Mutex

// Run brings the backup in a directory up to what the hub has now. What is there from an
// earlier backup is kept and not written again. Interrupted anywhere, it leaves what was
// complete before as it was. ErrForeign, ErrRunning.
func Run(ctx context.Context, c Config, dir string) (Summary, error) {
	if !running.TryLock() {
		return Summary{}, ErrRunning
	}
	defer running.Unlock()
	s := Summary{Generation: c.Generation}
	if old, err := ReadSummary(dir); err == nil && old.Generation != c.Generation {
		return s, fmt.Errorf("%s: %w", dir, ErrForeign)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	err := c.Rest(ctx, func(ctx context.Context) error {
		// The log first: what its events need was there before them, and stays for now.
		if err := writeLog(ctx, c, dir, &s); err != nil {
			return fmt.Errorf("copy the log: %w", err)
		}
		if c.Secrets != nil {
			if err := writeSecrets(ctx, c, dir, &s); err != nil {
				return fmt.Errorf("copy the secrets: %w", err)
			}
		}
		for name, store := range c.Stores {
			if err := copyBlobs(ctx, c, filepath.Join(dir, name), store, &s); err != nil {
				return fmt.Errorf("copy the blobs of %s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	s.Time = time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return s, err
	}
	return s, durable.ReplaceFile(filepath.Join(dir, summaryFile), append(text, '\n'), 0o600)
}

const summaryFile = "backup.json"

// ReadSummary reads what a backup has. The error wraps fs.ErrNotExist when there is none.
func ReadSummary(dir string) (s Summary, err error) {
	text, err := os.ReadFile(filepath.Join(dir, summaryFile))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w: %w", summaryFile, ErrDamaged, err)
	}
	return s, nil
}

func blobPath(dir string, d digest.Digest) string {
	return filepath.Join(dir, "blobs", d.Algorithm().String(), d.Encoded())
}
