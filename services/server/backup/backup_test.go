package backup_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
	"hubledger/services/registry/blobs"
	"hubledger/services/server/backup"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var quiet = backup.Options{Progress: func(int64, int64, string) {}}

// A world is a journal that grows, and the backup of it.
type world struct {
	t      testing.TB
	log    projections.Source
	store  projections.Store
	config backup.Config
	dir    string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, log: projectiontest.RegistryEvents(rand.New(rand.NewPCG(1, 2)), 400, 0), dir: filepath.Join(t.TempDir(), "backup")}
	var err error
	w.store, err = sqlitestore.Dir(t.TempDir()).Open(t.Context(), &journal.Projection, projections.Options{})
	check(t, err)
	t.Cleanup(func() { w.store.Close() })
	w.config = backup.Config{Generation: "GENERATION", Journal: w.store.DB(), Stores: map[string]*blobs.Store{}, Progress: func(int64, int64, string) {},
		Rest: func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) },
		Secrets: func(_ context.Context, each func(string, []byte) error) error {
			return errors.Join(each("one", []byte{1, 2, 3}), each("two", nil))
		}}
	return w
}

// upTo lets the journal have so many events, and backs up.
func (w *world) upTo(n uint64) backup.Summary {
	w.t.Helper()
	check(w.t, projections.CatchUp(w.t.Context(), w.store, w.log, n, nil))
	s, err := backup.Run(w.t.Context(), w.config, w.dir)
	check(w.t, err)
	return s
}

// read reads the backup, and the root over what it has.
func (w *world) read() (n uint64, root string, err error) {
	var leaves []tlog.Hash
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (list []tlog.Hash, err error) {
		for _, k := range at {
			list = append(list, stored[k])
		}
		return list, nil
	})
	summary, err := backup.ReadSummary(w.dir)
	if err != nil {
		return 0, "", err
	}
	err = backup.Events(w.t.Context(), w.dir, summary, func(e *events.Event, leaf events.Leaf) error {
		kept, err := journal.Event(w.t.Context(), w.store.DB(), e.Seq)
		if err != nil {
			return err
		}
		if kept.Leaf != leaf || events.LeafOf(&kept.Event) != events.LeafOf(e) {
			w.t.Errorf("event %d is another one", e.Seq)
		}
		more, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), tlog.Hash(leaf), read)
		stored, leaves, n = append(stored, more...), append(leaves, tlog.Hash(leaf)), e.Seq
		return err
	})
	if err != nil {
		return n, "", err
	}
	h, err := tlog.TreeHash(int64(n), read)
	return n, base64.StdEncoding.EncodeToString(h[:]), err
}

// A backup grows by what is new, and says the root of the tree over all that it has.
func TestGrows(t *testing.T) {
	w := newWorld(t)
	had := uint64(0)
	for _, n := range []uint64{1, 2, 100, 101, 300} {
		s := w.upTo(n)
		if s.Events < n || s.Added.Events != s.Events-had || s.Secrets != 2 {
			t.Fatalf("at %d: %+v", n, s)
		}
		had = s.Events
		got, root, err := w.read()
		if err != nil || got != s.Events || root != s.Root {
			t.Fatalf("read %d events with root %s, %v; the summary is %+v", got, root, err, s)
		}
		if kept, err := backup.ReadSummary(w.dir); err != nil || kept.Root != root || kept.Time.IsZero() {
			t.Errorf("the summary says %+v, %v", kept, err)
		}
	}
	secrets := map[string]string{}
	summary, err := backup.ReadSummary(w.dir)
	check(t, err)
	check(t, backup.Secrets(w.dir, summary, func(key string, sealed []byte) error {
		secrets[key] = string(sealed)
		return nil
	}))
	if len(secrets) != 2 || secrets["one"] != "\x01\x02\x03" {
		t.Errorf("secrets %q", secrets)
	}
	w.config.Generation = "OTHER"
	if _, err := backup.Run(t.Context(), w.config, w.dir); !errors.Is(err, backup.ErrForeign) {
		t.Errorf("the backup of another log: %v", err)
	}
}

// Whatever is changed in the log of a backup is found, and nothing is read as if it were
// whole.
func TestDamage(t *testing.T) {
	w := newWorld(t)
	for _, n := range []uint64{50, 120, 200} {
		w.upTo(n)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "log", "*"))
	check(t, err)
	if len(files) != 6 {
		t.Fatalf("%d files", len(files))
	}
	random := rand.New(rand.NewPCG(3, 4))
	for _, file := range files {
		good, err := os.ReadFile(file)
		check(t, err)
		damaged := func(what string, bad []byte) {
			t.Helper()
			if bad == nil {
				check(t, os.Remove(file))
			} else {
				check(t, os.WriteFile(file, bad, 0o600))
			}
			n, _, err := w.read()
			if !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("%s of %s: read %d events, %v", what, filepath.Base(file), n, err)
			}
			if _, err := backup.Restore(t.Context(), w.dir, filepath.Join(t.TempDir(), "data"), quiet); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("%s of %s: restored, %v", what, filepath.Base(file), err)
			}
			check(t, os.WriteFile(file, good, 0o600))
		}
		damaged("loss", nil)
		damaged("truncation", good[:len(good)-3])
		for range 4 {
			bad := append([]byte(nil), good...)
			at := random.IntN(len(bad))
			bad[at] ^= 1 << random.IntN(8)
			if strings.HasSuffix(file, ".json") && at == len(bad)-1 {
				continue // the line's end says nothing
			}
			damaged("a changed bit", bad)
		}
	}
}

// What an interrupted backup leaves is not counted, and the next one goes on.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	signed := func(what string) func() (checkpoint, keys []byte) {
		return func() ([]byte, []byte) { return []byte(what), []byte("keys") }
	}
	w.config.Signed = signed("of 50")
	first := w.upTo(50)
	check(t, projections.CatchUp(t.Context(), w.store, w.log, 150, nil))
	ctx, stop := context.WithCancel(t.Context())
	config := w.config
	config.Signed = signed("of 150")
	config.Secrets = func(ctx context.Context, each func(string, []byte) error) error {
		stop()
		return errors.Join(each("newer", nil), ctx.Err())
	}
	if _, err := backup.Run(ctx, config, w.dir); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	check(t, os.WriteFile(filepath.Join(w.dir, "log", "writing-1"), []byte("half"), 0o600))
	check(t, os.WriteFile(filepath.Join(w.dir, "log", "000000000900-000000000999.jsonl.zst"), []byte("half"), 0o600))
	check(t, backup.Secrets(w.dir, first, func(key string, _ []byte) error {
		if key == "newer" {
			t.Error("the secrets of the last complete backup were replaced")
		}
		return nil
	}))
	if s, err := backup.ReadSummary(w.dir); err != nil || s.Events != first.Events {
		t.Errorf("after an interruption the summary says %+v, %v", s, err)
	}
	if text, err := os.ReadFile(filepath.Join(w.dir, "checkpoint")); err != nil || string(text) != "of 50" {
		t.Errorf("the checkpoint is that of events which the last complete backup lacks: %q, %v", text, err)
	}
	// It has more segments than the last complete backup: they do not count.
	if n, root, err := w.read(); err != nil || n != first.Events || root != first.Root {
		t.Errorf("after an interruption %d events with root %s can be read, %v", n, root, err)
	}
	s := w.upTo(200)
	n, root, err := w.read()
	if err != nil || n != s.Events || root != s.Root {
		t.Errorf("read %d, %v; the summary is %+v", n, err, s)
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, "log", "writing-*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := backup.ReadSummary(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no backup: %v", err)
	}
}

// Blobs that are missing in a backup, or rotten, are named: nothing is restored without
// them unless that is accepted.
func TestLostBlobs(t *testing.T) {
	w := newWorld(t)
	store, err := blobs.Open(blobs.Config{Dir: filepath.Join(t.TempDir(), "registry"), Reserve: -1, Log: slog.New(slog.DiscardHandler)})
	check(t, err)
	var all []digest.Digest
	for _, content := range []string{"one", "two", "three"} {
		d := digest.FromString(content)
		_, err := store.Put(t.Context(), d, strings.NewReader(content), int64(len(content)), func(context.Context) error { return nil })
		check(t, err)
		check(t, store.Sync(t.Context(), d))
		all = append(all, d)
	}
	w.config.Stores = map[string]*blobs.Store{"registry": store}
	w.log = projectiontest.Images(3) // which can be appended
	s := w.upTo(3)
	if s.Blobs != 3 || s.Added.Blobs != 3 {
		t.Fatalf("%+v", s)
	}
	path := func(dir string, d digest.Digest) string {
		return filepath.Join(dir, "registry", "blobs", "sha256", d.Encoded())
	}
	check(t, os.Remove(path(w.dir, all[0])))
	check(t, os.WriteFile(path(w.dir, all[1]), []byte("TWO"), 0o600))
	data := filepath.Join(t.TempDir(), "data")
	if _, err := backup.Restore(t.Context(), w.dir, data, quiet); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("without two blobs: %v", err)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 1 || left[0].Name() != "lock" {
		t.Errorf("left are %v, %v", left, err)
	}
	r, err := backup.Restore(t.Context(), w.dir, data, backup.Options{AcceptLoss: true, Progress: quiet.Progress})
	check(t, err)
	slices.Sort(r.Lost)
	if lost := []digest.Digest{all[0], all[1]}; r.Blobs != 1 || r.Events != s.Events || !slices.Equal(r.Lost, slices.Sorted(slices.Values(lost))) {
		t.Errorf("%+v", r)
	}
	if got, err := os.ReadFile(path(data, all[2])); err != nil || string(got) != "three" {
		t.Errorf("the third is %q, %v", got, err)
	}
	if _, err := backup.Restore(t.Context(), w.dir, data, quiet); !errors.Is(err, backup.ErrOccupied) {
		t.Errorf("once more: %v", err)
	}
	// Without secrets there are none, whatever an earlier backup had.
	w.config.Secrets = nil
	check(t, backup.Secrets(w.dir, w.upTo(3), func(key string, _ []byte) error {
		t.Errorf("secret %s", key)
		return nil
	}))
	if left, err := filepath.Glob(filepath.Join(w.dir, "secrets-*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// Segments of the first version, whose tree hashed the leaves once more, are read and
// continued.
func TestFirstFormat(t *testing.T) {
	w := newWorld(t)
	s := w.upTo(40)
	old := peaksOfFirstFormat(t, w, s.Events)
	file := filepath.Join(w.dir, "log", fmt.Sprintf("%012d-%012d.json", 1, s.Events))
	var seg map[string]any
	readJSON(t, file, &seg)
	delete(seg, "format")
	seg["peaks"] = old
	writeJSON(t, file, seg)
	var summary map[string]any
	readJSON(t, filepath.Join(w.dir, "backup.json"), &summary)
	root := tlog.Hash(old[len(old)-1])
	for k := len(old) - 2; k >= 0; k-- {
		root = tlog.NodeHash(tlog.Hash(old[k]), root)
	}
	summary["root"] = base64.StdEncoding.EncodeToString(root[:])
	writeJSON(t, filepath.Join(w.dir, "backup.json"), summary)
	if v, err := backup.Verify(t.Context(), w.dir, nil, quiet.Progress); err != nil || v.Events != s.Events {
		t.Errorf("%+v, %v", v, err)
	}
	s = w.upTo(90)
	if v, err := backup.Verify(t.Context(), w.dir, nil, quiet.Progress); err != nil || v.Events != s.Events || s.Added.Events == 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// peaksOfFirstFormat are those over hashes of leaves.
func peaksOfFirstFormat(t *testing.T, w *world, n uint64) (list [][]byte) {
	var leaves []tlog.Hash
	check(t, journal.Leaves(t.Context(), w.store.DB(), 0, n, func(l events.Leaf) error {
		leaves = append(leaves, tlog.RecordHash(l[:]))
		return nil
	}))
	var tree func(of []tlog.Hash) tlog.Hash
	tree = func(of []tlog.Hash) tlog.Hash {
		if len(of) == 1 {
			return of[0]
		}
		return tlog.NodeHash(tree(of[:len(of)/2]), tree(of[len(of)/2:]))
	}
	for size := 1 << 30; size > 0; size >>= 1 {
		if len(leaves)&size != 0 {
			h := tree(leaves[:size])
			list, leaves = append(list, h[:]), leaves[size:]
		}
	}
	return list
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.ReadFile(file)
	check(t, err)
	check(t, json.Unmarshal(text, v))
}

func writeJSON(t *testing.T, file string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	check(t, err)
	check(t, os.WriteFile(file, text, 0o600))
}
