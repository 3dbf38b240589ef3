package layerfiles_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"hubledger/services/api/layerfiles"
)

// A file is an entry of an archive; what is not set is that of a file.
type file struct {
	name, content string
	kind          byte
	link          string
	mode          int64
	uid           int
}

func archive(files ...file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: f.kind, Linkname: f.link, Mode: f.mode, Uid: f.uid, Size: int64(len(f.content)), Format: tar.FormatPAX}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		w.Write([]byte(f.content))
	}
	w.Close()
	return b.Bytes()
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	z.Close()
	return b.Bytes()
}

func zstded(content []byte) []byte {
	z, _ := zstd.NewWriter(nil)
	return z.EncodeAll(content, nil)
}

// shelf has blobs; reads of those that are held wait.
type shelf struct {
	mu     sync.Mutex
	blobs  map[digest.Digest][]byte
	opened []digest.Digest
	hold   chan struct{}
}

func (s *shelf) add(content []byte) digest.Digest {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := digest.FromBytes(content)
	s.blobs[d] = content
	return d
}

func (s *shelf) open(ctx context.Context, d digest.Digest) (io.ReadCloser, int64, error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	content, ok := s.blobs[d]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	s.opened = append(s.opened, d)
	return io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
}

func keeper(t *testing.T, s *shelf, c layerfiles.Config) *layerfiles.Keeper {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	c.Open, c.Logger = s.open, slog.New(slog.DiscardHandler)
	k := layerfiles.New(c)
	t.Cleanup(k.Close)
	return k
}

// listed asks until layers are looked through.
func listed(t *testing.T, k *layerfiles.Keeper, layers ...digest.Digest) {
	t.Helper()
	for _, d := range layers {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			p, err := k.Ask("somebody", d)
			if err != nil || time.Now().After(deadline) || p.State == layerfiles.Failed {
				t.Fatalf("%s: %+v, %v", d, p, err)
			}
			if p.State == layerfiles.Done {
				break
			}
		}
	}
}

// flat writes a listing as one line an entry.
func flat(l *layerfiles.Listing) (lines []string) {
	for dir, entries := range l.Directories {
		for _, e := range entries {
			lines = append(lines, fmt.Sprintf("%s/%s %s", dir, e.Name, e.Type))
		}
	}
	return lines
}
