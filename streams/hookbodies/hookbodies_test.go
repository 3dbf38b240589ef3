package hookbodies_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/hookbodies"
	"hubledger/streams/streamtest"
)

func open(t *testing.T, l *streams.Log, age time.Duration, bytes int64) *hookbodies.Store {
	t.Helper()
	s, err := streams.OpenHookBodies(t.Context(), l, age, bytes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *hookbodies.Store, source string, body []byte) digest.Digest {
	t.Helper()
	sum, err := s.Put(t.Context(), source, body)
	if err != nil || sum != digest.FromBytes(body) {
		t.Fatalf("%s, %v", sum, err)
	}
	return sum
}

func kept(t *testing.T, s *hookbodies.Store, source string, body []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), source, digest.FromBytes(body))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
	}
}

func gone(t *testing.T, s *hookbodies.Store, source string, sum digest.Digest) {
	t.Helper()
	if got, err := s.Get(t.Context(), source, sum); !errors.Is(err, hookbodies.ErrGone) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// noise is a body that cannot be compressed.
func noise(size int) []byte {
	source := rand.NewChaCha8([32]byte{byte(size)})
	body := make([]byte, size)
	source.Read(body)
	return body
}

func TestBodies(t *testing.T) {
	dir := t.TempDir()
	l := streamtest.Open(t, dir)
	s := open(t, l, 0, 0)
	bodies := [][]byte{{}, []byte("x"), noise(1 << 20), noise(1<<20 + 1), noise(3 << 20), noise(hookbodies.MaxSize), bytes.Repeat([]byte("x"), hookbodies.MaxSize)}
	for _, body := range bodies {
		put(t, s, "s1", body)
		kept(t, s, "s1", body)
	}
	put(t, s, "s1", bodies[4]) // again
	put(t, s, "s2", bodies[1])
	gone(t, s, "s2", digest.FromBytes(bodies[2]))
	gone(t, s, "s3", digest.FromBytes(bodies[1]))
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, streamtest.Open(t, dir), 0, 0)
	for _, body := range bodies {
		kept(t, s, "s1", body)
	}
	if err := s.Purge(t.Context(), "s1"); err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		gone(t, s, "s1", digest.FromBytes(body))
	}
	kept(t, s, "s2", bodies[1])
	put(t, s, "s1", bodies[3])
	kept(t, s, "s1", bodies[3])
}

func TestNamesAreChecked(t *testing.T) {
	s := open(t, streamtest.Open(t, ""), 0, 0)
	for _, source := range []string{"", ">", "*", "a.b", "a b", strings.Repeat("a", 65)} {
		if _, err := s.Put(t.Context(), source, []byte("x")); err == nil {
			t.Errorf("a body was kept for %q", source)
		}
		if err := s.Purge(t.Context(), source); err == nil {
			t.Errorf("%q was purged", source)
		}
	}
	for _, sum := range []digest.Digest{"", "x", "sha256:*", digest.SHA512.FromString("x")} {
		if _, err := s.Get(t.Context(), "s1", sum); err == nil || errors.Is(err, hookbodies.ErrGone) {
			t.Errorf("%q: %v", sum, err)
		}
	}
	if _, err := s.Put(t.Context(), "s1", make([]byte, hookbodies.MaxSize+1)); err == nil {
		t.Error("a body that is too large was kept")
	}
}

// With too many bytes the oldest bodies go, whole: what is left of one is gone, too.
func TestTheOldestGo(t *testing.T) {
	s := open(t, streamtest.Open(t, ""), 0, 8<<20)
	var sums []digest.Digest
	for k := range 5 {
		sums = append(sums, put(t, s, "s1", noise(3<<20+k)))
	}
	for _, sum := range sums[:3] {
		gone(t, s, "s1", sum)
	}
	kept(t, s, "s1", noise(3<<20+4))
}

// Bodies go when their time is over. An option that was changed counts from the next start.
func TestTheOldGo(t *testing.T) {
	dir := t.TempDir()
	l := streamtest.Open(t, dir)
	sum := put(t, open(t, l, time.Hour, 0), "s1", []byte("x"))
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := open(t, streamtest.Open(t, dir), 100*time.Millisecond, 0)
	for {
		_, err := s.Get(t.Context(), "s1", sum)
		if errors.Is(err, hookbodies.ErrGone) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A full disk and a log that is read-only refuse bodies; those that are kept can be
// read, and removed from a full disk.
func TestRefused(t *testing.T) {
	dir, reserve := t.TempDir(), true
	l := streamtest.OpenConfig(t, streams.Config{Dir: dir, Reserve: func() bool { return reserve }})
	s := open(t, l, 0, 0)
	sum := put(t, s, "s1", []byte("x"))
	reserve = false
	if _, err := s.Put(t.Context(), "s1", []byte("y")); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("without space: %v", err)
	}
	kept(t, s, "s1", []byte("x"))
	if err := s.Purge(t.Context(), "s1"); err != nil {
		t.Error(err)
	}
	gone(t, s, "s1", sum)
	reserve = true
	put(t, s, "s1", []byte("x"))
	l.SetReadOnly(errors.New("because"))
	if _, err := s.Put(t.Context(), "s1", []byte("y")); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
	if err := s.Purge(t.Context(), "s1"); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("purge, read-only: %v", err)
	}
	kept(t, s, "s1", []byte("x"))
	other := streamtest.Open(t, filepath.Join(dir, "other"))
	other.SetReadOnly(errors.New("because"))
	if _, err := streams.OpenHookBodies(t.Context(), other, 0, 0); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("a store was made beside a log that is read-only: %v", err)
	}
}

// On servers elsewhere several nodes share one store, and none changes its settings.
func TestElsewhere(t *testing.T) {
	url := streamtest.Server(t)
	first := open(t, streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url}), time.Hour, 1<<20)
	second := open(t, streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url}), 2*time.Hour, 2<<20)
	put(t, first, "s1", []byte("x"))
	kept(t, second, "s1", []byte("x"))
	l := streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url})
	open(t, l, 0, 0)
	info := streamtest.StreamConfig(t, url, hookbodies.StreamName)
	if info.MaxAge != time.Hour || info.MaxBytes != 1<<20 || info.Storage != jetstream.FileStorage || info.Discard != jetstream.DiscardOld || info.Replicas != 1 ||
		info.PersistMode != jetstream.AsyncPersistMode {
		t.Errorf("%+v", info)
	}
}

// A stream of before, which syncs each message, is taken as it is: servers cannot change that.
func TestStreamOfBefore(t *testing.T) {
	url := streamtest.Server(t)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: hookbodies.StreamName, Subjects: []string{"hook.>"}, MaxMsgsPerSubject: 1, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	s, err := hookbodies.Open(t.Context(), hookbodies.Config{JetStream: js, Replicas: 1, MaxAge: 2 * time.Hour, MaxBytes: 1 << 20, Mine: true,
		ReadOnly: func() error { return nil }, Room: func(int) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "s1", []byte("x"))
	kept(t, s, "s1", []byte("x"))
	if info := streamtest.StreamConfig(t, url, hookbodies.StreamName); info.MaxAge != 2*time.Hour || info.PersistMode != jetstream.DefaultPersistMode {
		t.Errorf("%+v", info)
	}
}

// A cluster keeps bodies as often as it keeps the log, and every node reads what
// another has just written.
func TestCluster(t *testing.T) {
	url := streamtest.Cluster(t)
	first := open(t, streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url}), 0, 0)
	second := open(t, streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url}), 0, 0)
	for k := range 5 {
		body := noise(1<<20 + k)
		put(t, first, "s1", body)
		kept(t, second, "s1", body)
	}
	if info := streamtest.StreamConfig(t, url, hookbodies.StreamName); info.Replicas != 3 {
		t.Errorf("%d replicas", info.Replicas)
	}
}
