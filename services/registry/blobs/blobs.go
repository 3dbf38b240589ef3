// Package blobs keeps content by its digest in a directory:
//
//	blobs/<algorithm>/<hex>     complete and durable
//	journal/<number>            copies of small blobs until their files are synced
//	pending/<algorithm>-<hex>   complete and verified, not yet synced
//	uploads/<id>-<repository>   arriving; the repository is hashed into the name
//
// One rule holds at every moment, also after the power fails: a file below
// blobs/ is complete and was synced before it got its name there, and its
// directory is synced before Sync returns; or it is at most 64 KiB long, and all
// of it is in the journal, from which Open makes it whole. What is pending is readable like
// any blob but void after a restart. Uploads survive a restart as far as the
// disk kept them and can be resumed.
//
// The store does not know who may read a blob or whether it is still needed. A
// caller that removes blobs makes sure by other means that nobody relies on
// them; see package leases.
package blobs

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/semaphore"
)

// Config says where a store lives and what it may use. Only Dir is required.
type Config struct {
	// Dir is the directory that holds everything; it is made if needed.
	Dir string
	// FS is the operating system's file system when nil.
	FS FS
	// Log is slog.Default() when nil.
	Log *slog.Logger
	// MaxBlobSize bounds one blob in bytes; 0 does not.
	MaxBlobSize int64
	// Reserve is how many bytes of the disk uploads leave free: the larger of
	// 2 GiB and 5 % of the disk when 0, none when negative.
	Reserve int64
	// MaxOpenUploads bounds the idle uploads that keep an open file; 128 when 0.
	MaxOpenUploads int
	// MaxIdleUploads bounds the idle uploads that keep their hash state (about
	// 400 bytes each); any further one is read again when it goes on. 8192 when 0.
	MaxIdleUploads int
	// MaxPending bounds the blobs that wait for a Sync, each with an open file;
	// beyond it a Finish syncs the oldest first. 256 when 0.
	MaxPending int
	// SyncAbove is the size in bytes from which a Finish starts syncing in the
	// background; 4 MiB when 0.
	SyncAbove int64
	// JournalSize is how many bytes of small blobs one segment of the journal takes
	// before they are synced themselves; 64 MiB when 0. There are at most two.
	JournalSize int64
	// VerifyRate bounds how many bytes a second Verify reads; 0 does not.
	VerifyRate int64
	// Repaired, when not nil, is called after a damaged blob was replaced
	// durably.
	Repaired func(d digest.Digest)
}

// A Store keeps blobs in a directory. Its methods may be called concurrently.
// Only one Store may use a directory at a time; the caller holds the lock.
type Store struct {
	cfg     Config
	fs      FS
	log     *slog.Logger
	uploads uploadTable
	pending pendingSet
	sha256  sharedSync
	sha512  sharedSync
	journal journal
	damaged damagedSet
	usage   usage
	space   space
	pipes   *semaphore.Weighted // large bodies that are hashed on a core of their own
	broken  atomic.Pointer[error]
	closed  atomic.Bool
	work    sync.WaitGroup // what runs in the background
}

// Open makes or opens the store in cfg.Dir. What was pending is gone
// afterwards, and what the journal promises is whole; directories are synced, because a blob that this process finds
// there may have been renamed by one that died before it synced the name.
func Open(cfg Config) (*Store, error) {
	s := &Store{cfg: withDefaults(cfg)}
	s.fs, s.log = s.cfg.FS, s.cfg.Log
	s.pipes = semaphore.NewWeighted(maxPipes)
	s.space = space{fs: s.fs, dir: cfg.Dir, reserve: cfg.Reserve}
	s.uploads = uploadTable{fs: s.fs, maxOpen: s.cfg.MaxOpenUploads, maxIdle: s.cfg.MaxIdleUploads, byName: map[string]*upload{}}
	s.pending.byDigest = map[digest.Digest]*pendingBlob{}
	s.damaged.set = map[digest.Digest]struct{}{}
	s.journal = journal{fs: s.fs, log: s.log, dir: cfg.Dir + "/journal", limit: s.cfg.JournalSize, failed: s.fail,
		turn: make(chan struct{}, 1), work: &s.work}
	if err := s.openDirs(); err != nil {
		return nil, fmt.Errorf("open blob store %s: %w", cfg.Dir, err)
	}
	s.startCounting()
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.FS == nil {
		cfg.FS = OS{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.MaxOpenUploads == 0 {
		cfg.MaxOpenUploads = 128
	}
	if cfg.MaxIdleUploads == 0 {
		cfg.MaxIdleUploads = 8192
	}
	if cfg.MaxPending == 0 {
		cfg.MaxPending = 256
	}
	if cfg.SyncAbove == 0 {
		cfg.SyncAbove = 4 << 20
	}
	if cfg.JournalSize == 0 {
		cfg.JournalSize = 64 << 20
	}
	return cfg
}

func (s *Store) openDirs() error {
	for _, name := range []string{"blobs/sha256", "blobs/sha512", "journal", "pending", "uploads"} {
		if err := s.fs.MkdirAll(filepath.Join(s.cfg.Dir, name)); err != nil {
			return err
		}
	}
	if err := s.wipePending(); err != nil {
		return err
	}
	for _, name := range []string{".", "blobs"} {
		if err := syncDir(s.fs, filepath.Join(s.cfg.Dir, name)); err != nil {
			return err
		}
	}
	for dir, algorithm := range map[*sharedSync]digest.Algorithm{&s.sha256: digest.SHA256, &s.sha512: digest.SHA512} {
		if err := dir.open(s.fs, filepath.Join(s.cfg.Dir, "blobs", string(algorithm))); err != nil {
			return err
		}
	}
	return s.replay()
}

func (s *Store) wipePending() error {
	dir := filepath.Join(s.cfg.Dir, "pending")
	return eachName(s.fs, dir, func(name string) error { return s.fs.Remove(filepath.Join(dir, name)) })
}

// Close waits for what runs in the background, makes durable what is pending
// and closes every file. The caller has stopped using the store.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.usage.cancel()
	err := s.completeAll()
	s.journal.close()
	s.work.Wait()
	s.uploads.closeAll()
	return errors.Join(err, s.failure(), s.sha256.close(), s.sha512.close())
}
