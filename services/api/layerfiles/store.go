package layerfiles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// store keeps listings as files <algorithm>-<hex> of a directory. Nothing is synced:
// what a power cut takes or damages is made again. The time of a file is when it was
// last asked for.
type store struct {
	dir string
	max int64 // bytes of all files

	mu    sync.Mutex
	bytes int64
}

func openStore(dir string, max int64) (*store, error) {
	s := &store{dir: dir, max: max}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		s.bytes += f.Size()
		if strings.HasSuffix(f.Name(), partial) { // a pass that was cut off
			s.remove(f)
		}
	}
	return s, nil
}

const partial = ".partial"

func (s *store) path(d digest.Digest) string {
	return filepath.Join(s.dir, d.Algorithm().String()+"-"+d.Encoded())
}

// has says whether there is a listing, and counts as a use of it.
func (s *store) has(d digest.Digest) bool {
	now := time.Now()
	return os.Chtimes(s.path(d), now, now) == nil
}

// A kept listing is open for reading.
type kept struct {
	*decoder
	file   *os.File
	remove func()
}

func (k *kept) close() {
	k.decoder.close()
	k.file.Close()
}

// damaged removes a listing that cannot be read; it is as if it had not been there.
func (k *kept) damaged(err error) error {
	k.remove()
	return fmt.Errorf("the kept listing %s: %w: %w", k.file.Name(), err, fs.ErrNotExist)
}

// open opens a listing. fs.ErrNotExist, also when it is damaged.
func (s *store) open(d digest.Digest) (*kept, error) {
	f, err := os.Open(s.path(d))
	if err != nil {
		return nil, err
	}
	k := &kept{file: f, remove: func() { s.drop(d) }}
	if k.decoder, err = decode(f); err != nil {
		f.Close()
		return nil, k.damaged(err)
	}
	return k, nil
}

func (s *store) put(d digest.Digest, l *Listing) error {
	f, err := os.CreateTemp(s.dir, d.Encoded()+".*"+partial)
	if err != nil {
		return err
	}
	err = l.encode(f)
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(d))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("keep which files %s has: %w", d, err)
	}
	s.mu.Lock()
	s.bytes += info.Size()
	full := s.bytes > s.max
	s.mu.Unlock()
	if full {
		return s.evict(d)
	}
	return nil
}

// evict removes those that were not used for the longest time, down to nine tenths of
// what may be there, but never the one just made.
func (s *store) evict(but digest.Digest) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	total := int64(0)
	for _, f := range files {
		total += f.Size()
	}
	s.mu.Lock()
	s.bytes = total
	s.mu.Unlock()
	for _, f := range files {
		s.mu.Lock()
		enough := s.bytes <= s.max/10*9
		s.mu.Unlock()
		if enough {
			break
		}
		if f.Name() != filepath.Base(s.path(but)) && !strings.HasSuffix(f.Name(), partial) {
			s.remove(f)
		}
	}
	return nil
}

// purge removes the listings of blobs that are gone.
func (s *store) purge(ctx context.Context, gone func(d digest.Digest) bool) error {
	files, err := s.files()
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		algorithm, encoded, ok := strings.Cut(f.Name(), "-")
		if ok && gone(digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded)) {
			s.remove(f)
		}
	}
	return err
}

func (s *store) drop(d digest.Digest) {
	if f, err := os.Stat(s.path(d)); err == nil {
		s.remove(f)
	}
}

func (s *store) remove(f fs.FileInfo) {
	if os.Remove(filepath.Join(s.dir, f.Name())) == nil {
		s.mu.Lock()
		s.bytes -= f.Size()
		s.mu.Unlock()
	}
}

func (s *store) files() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var list []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			list = append(list, info)
		}
	}
	return list, nil
}
