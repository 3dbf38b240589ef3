package blobs_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/blobs"
)

const repo = "alice/app"

// open opens a store with no reserve and closes it after the test.
func open(t testing.TB, cfg blobs.Config) *blobs.Store {
	t.Helper()
	if cfg.Reserve == 0 {
		cfg.Reserve = -1
	}
	s, err := blobs.Open(cfg)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// content is random, but the same for the same seed.
func content(seed byte, size int) []byte {
	p := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256([]byte{seed})).Read(p)
	return p
}

func digestOf(p []byte) digest.Digest { return digest.FromBytes(p) }

func begin(t testing.TB, s *blobs.Store) (id string) {
	t.Helper()
	id, err := s.Begin(t.Context(), repo)
	check(t, err)
	return id
}

func write(t testing.TB, s *blobs.Store, id string, p []byte) {
	t.Helper()
	_, err := s.Write(t.Context(), repo, id, -1, bytes.NewReader(p))
	check(t, err)
}

// push stores p as an upload.
func push(t testing.TB, s *blobs.Store, p []byte) digest.Digest {
	t.Helper()
	id := begin(t, s)
	write(t, s, id, p)
	_, err := s.Finish(t.Context(), repo, id, digestOf(p), nil)
	check(t, err)
	return digestOf(p)
}

func mustRead(t testing.TB, s *blobs.Store, d digest.Digest, want []byte) {
	t.Helper()
	size, err := s.Stat(t.Context(), d)
	check(t, err)
	f, opened, err := s.Open(t.Context(), d)
	check(t, err)
	defer f.Close()
	got, err := io.ReadAll(f)
	check(t, err)
	if size != int64(len(want)) || opened != size || !bytes.Equal(got, want) {
		t.Fatalf("%s reads as %d bytes, stat says %d, open %d, pushed were %d", d, len(got), size, opened, len(want))
	}
}

// broken yields p and then fails.
func broken(p []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(p), iotest.ErrReader(errors.New("connection reset")))
}

// files lists the names in one of the store's directories.
func files(t testing.TB, dir, sub string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, sub))
	check(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func mustBeEmpty(t testing.TB, dir string, subs ...string) {
	t.Helper()
	for _, sub := range subs {
		if names := files(t, dir, sub); len(names) > 0 {
			t.Fatalf("%s holds %v", sub, names)
		}
	}
}
