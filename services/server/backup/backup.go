// Package backup copies a hub into a directory while it runs, and reads such a copy: the
// log in segments that never change, the encrypted secrets, and the blobs.
//
//	log/000000000001-000000050000.jsonl.zst   events, one a line
//	log/000000000001-000000050000.json        what the segment is: Segment
//	secrets-TIME.jsonl                        encrypted secrets, one a line
//	blobs-TIME.jsonl.zst                      the blobs, one a line
//	registry/blobs/sha256/…, build-logs/blobs/…   as in a data directory
//	backup.json                               the last backup that was complete: Summary
//	point-TIME.json                           those before it that are kept; see Config.Keep
//	checkpoint, checkpoint.vkey               what was signed of the log last, and the public keys
//
// An archive is a backup of the log alone.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs"
	"hubledger/streams/disk"
)

var (
	// ErrForeign: a directory has the backup of another log.
	ErrForeign = errors.New("the directory has the backup of another log: name another directory")
	// ErrWhole: a directory that is to take an archive has a backup.
	ErrWhole = errors.New("the directory has a backup, which has the log already: name another directory")
	// ErrRunning: another backup of this hub has not ended yet.
	ErrRunning = errors.New("a backup is running already")
	// ErrDamaged: a backup is not what was written.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrNoRoom: the disk of the backup is nearly full.
	ErrNoRoom = errors.New("the disk of the backup has too little space left")
)

// Config is what a backup is made of; all fields are required but those that say otherwise.
type Config struct {
	Generation string
	// Journal has the events; it is caught up with the log.
	Journal projections.DB
	// Secrets calls each with every secret as it is stored. Nil: they are left out.
	Secrets func(ctx context.Context, each func(key string, sealed []byte) error) error
	// Stores are those of blobs, by their directory in the data directory. Nil: an archive is
	// made, without blobs and secrets.
	Stores map[string]*blobs.Store
	// Signed is the last signed checkpoint, and the public keys of the log; empty when nothing
	// was signed yet, or it cannot be read. Nil: they are left out.
	Signed func() (checkpoint, keys []byte)
	// Keep is how many complete backups can be restored. What only older ones need is removed.
	// 0: the last one, beside those that are kept already; blobs are never removed.
	Keep int
	// Rest runs fn while no blob is collected.
	Rest func(ctx context.Context, fn func(context.Context) error) error
	// Progress is called now and then; total is 0 where it is not known.
	Progress func(done, total int64, unit string)
	FS       durable.FS // that of the backup; nil: durable.OS
}

func (c Config) fs() durable.FS {
	if c.FS == nil {
		return durable.OS{}
	}
	return c.FS
}

// replace replaces a file of the backup as a whole; it is on disk when it returns nil.
func (c Config) replace(path string, content []byte) error {
	return durable.Replace(c.fs(), path, content, writing)
}

// A Summary says what the last complete backup has.
type Summary struct {
	ID         string `json:"id,omitempty"` // names it among those that are kept
	Generation string `json:"generation"`
	Events     uint64 `json:"events"`
	Root       string `json:"root"` // of the Merkle tree over their leaves, base64
	Secrets    int    `json:"secrets"`
	// SecretsFile and BlobsFile are the names of the files with the secrets, "" for none, and
	// with the list of blobs, "" for an archive.
	SecretsFile string    `json:"secretsFile,omitempty"`
	BlobsFile   string    `json:"blobsFile,omitempty"`
	Blobs       int       `json:"blobs"` // with the logs of builds
	BlobBytes   int64     `json:"blobBytes"`
	Added       Added     `json:"added"` // by that backup, to what was there
	Time        time.Time `json:"time"`  // when it was complete
	// Damaged are the blobs that the hub has, but not as they should be: the backup lacks them.
	Damaged []digest.Digest `json:"damaged,omitempty"`
}

// Added is what a backup wrote; the rest was there from earlier ones.
type Added struct {
	Events    uint64 `json:"events"`
	Blobs     int    `json:"blobs"`
	BlobBytes int64  `json:"blobBytes"`
}

// Run brings the backup in a directory up to what the hub has now. What is there from an
// earlier backup is kept and not written again. Interrupted anywhere, it leaves what was
// complete before as it was. ErrForeign, ErrRunning, ErrWhole.
func Run(ctx context.Context, c Config, dir string) (Summary, error) {
	s := Summary{Generation: c.Generation}
	if err := durable.MakeDir(c.fs(), dir, dir); err != nil {
		return s, err
	}
	lock, err := disk.LockDir(dir)
	if errors.Is(err, disk.ErrLocked) {
		return s, fmt.Errorf("%s: %w", dir, ErrRunning)
	}
	if err != nil {
		return s, err
	}
	defer lock.Release()
	if old, err := ReadSummary(dir); err == nil && old.Generation != c.Generation {
		return s, fmt.Errorf("%s: %w", dir, ErrForeign)
	} else if err == nil && old.BlobsFile != "" && c.Stores == nil {
		return s, fmt.Errorf("%s: %w", dir, ErrWhole)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := removeRests(c, dir); err != nil {
		return s, err
	}
	var signed, keys []byte
	if c.Signed != nil {
		signed, keys = c.Signed() // before the log, which then has all that was signed
	}
	s.ID = time.Now().UTC().Format("20060102T150405.000000000Z")
	if c.Stores == nil {
		err = writeLog(ctx, c, dir, &s)
	} else {
		err = c.Rest(ctx, func(ctx context.Context) error { return write(ctx, c, dir, &s) })
	}
	if err != nil {
		return s, err
	}
	s.Time = time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return s, err
	}
	text = append(text, '\n')
	if c.Keep > 0 {
		if err := c.replace(filepath.Join(dir, pointFile(s.ID)), text); err != nil {
			return s, err
		}
	}
	if err := c.replace(filepath.Join(dir, summaryFile), text); err != nil {
		return s, err
	}
	// Last: a backup that is interrupted before has an older checkpoint, which its log has.
	if err := writeSigned(c, dir, signed, keys); err != nil {
		return s, fmt.Errorf("copy the checkpoint: %w", err)
	}
	return s, removeOlder(ctx, c, dir, s)
}

// write writes all that a backup with blobs lacks, but its summary.
func write(ctx context.Context, c Config, dir string, s *Summary) error {
	// The log first: what its events need was there before them, and stays for now.
	if err := writeLog(ctx, c, dir, s); err != nil {
		return err
	}
	if c.Secrets != nil {
		s.SecretsFile = "secrets-" + s.ID + ".jsonl"
		if err := writeSecrets(ctx, c, dir, s); err != nil {
			return fmt.Errorf("copy the secrets: %w", err)
		}
	}
	s.BlobsFile = "blobs-" + s.ID + ".jsonl.zst"
	if err := copyStores(ctx, c, dir, s); err != nil {
		return fmt.Errorf("copy the blobs: %w", err)
	}
	return nil
}

// removeRests removes what an interrupted backup was writing.
func removeRests(c Config, dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasPrefix(e.Name(), writing) {
			err = c.fs().Remove(path)
		}
		return err
	})
}

// writing begins the names of files that are being written.
const writing = "writing-"

// minRoom is what the disk of a backup has to have left.
const minRoom = 256 << 20

// checkRoom says that the disk of a backup has too little space for so many bytes more.
func checkRoom(dir string, bytes int64) error {
	free, err := disk.FreeSpace(dir)
	if err == nil && free < bytes+minRoom {
		err = fmt.Errorf("%s: %d MiB: %w", dir, free>>20, ErrNoRoom)
	}
	return err
}

const summaryFile = "backup.json"

// ReadSummary reads what the last complete backup has. The error wraps fs.ErrNotExist when
// there is none.
func ReadSummary(dir string) (Summary, error) { return readSummary(dir, summaryFile) }

func blobPath(dir string, d digest.Digest) string {
	return filepath.Join(dir, "blobs", d.Algorithm().String(), d.Encoded())
}
