package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/durable"
	"hubledger/services/registry/blobs"
)

// A listed blob is one line of the list of blobs.
type listed struct {
	Store  string        `json:"store"` // its directory in a data directory: registry, or build-logs
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

func (b listed) path(dir string) string { return blobPath(filepath.Join(dir, b.Store), b.Digest) }

// stores are the directories with blobs, in a backup as in a data directory.
var stores = []string{"registry", "build-logs"}

// copyStores copies the blobs of all stores that the backup lacks, and writes the list of
// all that there are.
func copyStores(ctx context.Context, c Config, dir string, s *Summary) (err error) {
	f, err := durable.Create(c.fs(), dir, writing)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewWriter(f)
	if err != nil {
		return err
	}
	list, dirs := json.NewEncoder(z), newBlobDirs(c.fs(), dir)
	for _, name := range slices.Sorted(maps.Keys(c.Stores)) {
		if err := copyBlobs(ctx, c, dirs, name, s, list); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Name(filepath.Join(dir, s.BlobsFile))
}

// copyBlobs copies the blobs of a store that the backup lacks, and compares each with its
// digest while it does.
func copyBlobs(ctx context.Context, c Config, dirs *blobDirs, name string, s *Summary, list *json.Encoder) error {
	store := c.Stores[name]
	total := s.BlobBytes + store.Usage().Bytes
	return store.Walk(ctx, func(d digest.Digest, size int64, _ time.Time) error {
		b := listed{name, d, size}
		added, err := copyBlob(ctx, dirs, store, b)
		if errors.Is(err, blobs.ErrNotFound) || errors.Is(err, ErrDamaged) {
			s.Damaged = append(s.Damaged, d) // everything else is worth keeping
			return nil
		}
		if err != nil {
			return err
		}
		if s.Blobs++; added {
			s.Added.Blobs++
			s.Added.BlobBytes += size
		}
		s.BlobBytes += size
		c.Progress(s.BlobBytes, max(total, s.BlobBytes), "bytes")
		return list.Encode(b)
	})
}

func copyBlob(ctx context.Context, dirs *blobDirs, store *blobs.Store, b listed) (added bool, err error) {
	if info, err := os.Stat(b.path(dirs.root)); err == nil && info.Size() == b.Size {
		return false, nil
	}
	if err := checkRoom(dirs.root, b.Size); err != nil {
		return false, err
	}
	from, _, err := store.Open(ctx, b.Digest)
	if err != nil {
		return false, err
	}
	defer from.Close()
	return true, dirs.writeBlob(ctx, b.path(dirs.root), b.Digest, from)
}

// blobDirs are the directories of blobs below another one, each made once.
type blobDirs struct {
	fs   durable.FS
	root string
	made map[string]bool
}

func newBlobDirs(fs durable.FS, root string) *blobDirs {
	return &blobDirs{fs, root, map[string]bool{}}
}

// writeBlob writes a blob to a file, durably, and only when it has its digest.
func (b *blobDirs) writeBlob(ctx context.Context, to string, d digest.Digest, from io.Reader) (err error) {
	dir := filepath.Dir(to)
	if !b.made[dir] {
		if err := durable.MakeDir(b.fs, b.root, dir); err != nil {
			return err
		}
		b.made[dir] = true
	}
	f, err := durable.Create(b.fs, dir, writing)
	if err != nil {
		return err
	}
	defer f.Close()
	verifier := d.Verifier()
	if _, err := io.Copy(io.MultiWriter(f, verifier), untilDone{ctx, from}); err != nil {
		return err
	}
	if !verifier.Verified() {
		return fmt.Errorf("blob %s does not have its digest: %w", d, ErrDamaged)
	}
	return f.Name(to)
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// listedBlobs calls each with every blob of a backup; an archive has none.
func listedBlobs(dir string, summary Summary, each func(listed) error) error {
	if summary.BlobsFile == "" {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, filepath.Base(summary.BlobsFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the list %s of its blobs is missing: %w", summary.BlobsFile, ErrDamaged)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(bufio.NewReader(f), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	return eachLine(z, summary.BlobsFile, summary.Blobs, func(b listed) error {
		if b.Digest.Validate() != nil || !slices.Contains(stores, b.Store) {
			return fmt.Errorf("%s names a blob %.100q of %.20q: %w", summary.BlobsFile, b.Digest, b.Store, ErrDamaged)
		}
		return each(b)
	})
}
