package blockfile_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/blockfile"
	"hubledger/streams/embedded"
)

const written, size = 300, 250

var quiet = slog.New(slog.DiscardHandler)

// stream writes a stream with a server that has stopped, in several blocks, and
// returns its directory.
func stream(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: dir, NoSync: true, MaxPayload: 1 << 20, Logger: quiet,
		Progress: func(string, int64, int64) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	conn, err := nats.Connect("", server.Connection())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	// A limit in bytes makes the server's blocks small.
	c := jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}, MaxBytes: 120 << 10, Discard: jetstream.DiscardNew}
	if _, err := js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for i := range written {
		m := nats.NewMsg(fmt.Sprint("s.", i+1))
		m.Header.Set("a", "b")
		m.Data = make([]byte, size)
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "jetstream", "$G", "streams", "S")
}

func list(t *testing.T, dir string) []blockfile.Block {
	t.Helper()
	blocks, err := blockfile.List(dir, "S")
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func verify(t *testing.T, dir string) (uint64, error) {
	t.Helper()
	return blockfile.Verify(t.Context(), list(t, dir), quiet, func(done, total int64) {})
}

func TestReading(t *testing.T) {
	dir := stream(t)
	blocks := list(t, dir)
	if len(blocks) < 3 || blockfile.Size(blocks) < size*written {
		t.Fatalf("%d blocks of %d bytes", len(blocks), blockfile.Size(blocks))
	}
	if last, err := verify(t, dir); last != written || err != nil {
		t.Errorf("verified up to %d, %v", last, err)
	}
	progress := func(int64, int64) { t.Error("the tail is taken for the whole stream") }
	if last, err := blockfile.VerifyTail(t.Context(), blocks, written, 10, quiet, progress); last != written || err != nil {
		t.Errorf("verified the tail up to %d, %v", last, err)
	}
	next := uint64(100)
	err := blockfile.Scan(t.Context(), blocks, 100, 250, func(r blockfile.Record) error {
		if r.Seq != next || string(r.Subject) != fmt.Sprint("s.", r.Seq) || len(r.Data) != size || len(r.Header) == 0 {
			t.Errorf("record %d on %s with %d bytes where %d is expected", r.Seq, r.Subject, len(r.Data), next)
		}
		next++
		return nil
	})
	if err != nil || next != 251 {
		t.Errorf("scanned up to %d, %v", next-1, err)
	}
	n := 0
	if err := blockfile.Scan(t.Context(), blocks, 1, written, func(blockfile.Record) error { n++; return blockfile.ErrStop }); err != nil || n != 1 {
		t.Errorf("%d records after a stop, %v", n, err)
	}
	if none, err := blockfile.List(filepath.Join(dir, "none"), "S"); len(none) != 0 || err != nil {
		t.Errorf("%v, %v", none, err)
	}
}

func TestDamage(t *testing.T) {
	dir := stream(t)
	path := list(t, dir)[1].Path
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found *blockfile.Damage
	data[len(data)/2] ^= 4
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, dir); !errors.As(err, &found) {
		t.Errorf("a changed bit: %v", err)
	}
	if err := blockfile.Scan(t.Context(), list(t, dir), 1, written, func(blockfile.Record) error { return nil }); !errors.As(err, &found) {
		t.Errorf("a scan over a changed bit: %v", err)
	}
	var seen, last uint64
	if err := blockfile.Salvage(list(t, dir), func(r blockfile.Record) error { seen++; last = r.Seq; return nil }); err != nil || seen != written-1 || last != written {
		t.Errorf("%d records up to %d were salvaged, %v", seen, last, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, dir); !errors.As(err, &found) {
		t.Errorf("a missing block: %v", err)
	}
}

// A record that a crash cut off at the end was never acknowledged.
func TestTornEnd(t *testing.T) {
	dir := stream(t)
	blocks := list(t, dir)
	end := blocks[len(blocks)-1]
	if err := os.Truncate(end.Path, end.Size-100); err != nil {
		t.Fatal(err)
	}
	if last, err := verify(t, dir); last != written-1 || err != nil {
		t.Errorf("verified up to %d, %v", last, err)
	}
}
