package blobs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
)

// unique makes content that no store has yet.
func unique(p []byte, n int64) digest.Digest {
	binary.LittleEndian.PutUint64(p, uint64(n))
	return digestOf(p)
}

// BenchmarkPushSmall is what docker does with a config and a layer of 10 KiB:
// POST, PATCH and PUT of each, then the sync of both that a manifest needs.
func BenchmarkPushSmall(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("c%d", clients), func(b *testing.B) {
			s := open(b, blobs.Config{Dir: b.TempDir()})
			var next atomic.Int64
			inParallel(b, clients, func(p []byte) error {
				var ds []digest.Digest
				for range 2 {
					id, err := s.Begin(b.Context(), repo)
					if err != nil {
						return err
					}
					d := unique(p, next.Add(1))
					if _, err := s.Write(b.Context(), repo, id, 0, bytes.NewReader(p)); err != nil {
						return err
					}
					if _, err := s.Finish(b.Context(), repo, id, d, nil); err != nil {
						return err
					}
					ds = append(ds, d)
				}
				return s.Sync(b.Context(), ds...)
			})
		})
	}
}

// BenchmarkPushLarge stores a layer of 256 MiB that comes from a pipe, as a
// request's body does, and syncs it. "floor" is what the machine takes to hash
// and write and sync the same one after the other.
func BenchmarkPushLarge(b *testing.B) {
	const size = 256 << 20
	p := content(1, size)
	b.Run("store", func(b *testing.B) {
		s := open(b, blobs.Config{Dir: b.TempDir()})
		b.SetBytes(size)
		n := int64(0)
		for b.Loop() {
			b.StopTimer()
			n++
			d := unique(p, n)
			id := begin(b, s)
			b.StartTimer()
			r, w := io.Pipe()
			go func() { w.Write(p); w.Close() }()
			_, err := s.Write(b.Context(), repo, id, 0, r)
			check(b, err)
			_, err = s.Finish(b.Context(), repo, id, d, nil)
			check(b, err)
			check(b, s.Sync(b.Context(), d))
			b.StopTimer()
			check(b, s.Remove(b.Context(), d))
			b.StartTimer()
		}
	})
	b.Run("floor", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "layer")
		b.SetBytes(size)
		for b.Loop() {
			sha256.Sum256(p)
			f, err := os.Create(path)
			check(b, err)
			_, err = f.Write(p)
			check(b, err)
			check(b, f.Sync())
			check(b, f.Close())
			b.StopTimer()
			check(b, os.Remove(path))
			b.StartTimer()
		}
	})
}

func BenchmarkStat(b *testing.B) {
	s := open(b, blobs.Config{Dir: b.TempDir()})
	d := push(b, s, content(1, 1000))
	check(b, s.Sync(b.Context(), d))
	b.ReportAllocs()
	for b.Loop() {
		_, err := s.Stat(b.Context(), d)
		check(b, err)
	}
}

func BenchmarkOpen(b *testing.B) {
	s := open(b, blobs.Config{Dir: b.TempDir()})
	d := push(b, s, content(1, 1000))
	check(b, s.Sync(b.Context(), d))
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := s.Open(b.Context(), d)
		check(b, err)
		f.Close()
	}
}

// inParallel runs fn b.N times by some clients, each with 10 KiB of its own.
func inParallel(b *testing.B, clients int, fn func(p []byte) error) {
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error)
	b.ResetTimer()
	for c := range clients {
		go func() {
			var err error
			p := content(byte(c), 10<<10)
			for left.Add(-1) >= 0 && err == nil {
				err = fn(p)
			}
			done <- err
		}()
	}
	for range clients {
		check(b, <-done)
	}
}
