package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/journal"
	"hubledger/projections/projectiontest"
	"hubledger/projections/sqlitestore"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/audit/tree"
	"hubledger/services/audit/verify"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A copies is everything that a hub has of its log.
type copies struct {
	root  string
	log   []events.Event
	store projections.Store
	dir   tree.Dir
}

// newCopies are those of a log of n pushes, of which signed are signed.
func newCopies(t testing.TB, n, signed int) *copies {
	ctx, root := t.Context(), t.TempDir()
	c := &copies{root: root, dir: tree.Of(root, "G1")}
	for seq := range n {
		c.log = append(c.log, projectiontest.Image(uint64(seq+1)))
	}
	storage := sqlitestore.Dir(filepath.Join(root, "projections"))
	check(t, bulk.Rebuild(ctx, bulk.Config{Projection: &journal.Projection, Storage: storage, Source: projectiontest.Images(n), Generation: "G1", Logger: projectiontest.Quiet}, func(uint64, uint64) {}))
	var err error
	c.store, err = storage.Open(ctx, &journal.Projection, projections.Options{Generation: "G1", Logger: projectiontest.Quiet})
	check(t, err)
	t.Cleanup(func() { c.store.Close() })
	check(t, c.grower().Grow(ctx, uint64(signed)))
	return c
}

func (c *copies) grower() *tree.Grower {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	return &tree.Grower{Dir: c.dir, Origin: "hub.test/G1", Key: func(context.Context) (ed25519.PrivateKey, error) { return key, nil },
		Leaves: func(ctx context.Context, after, to uint64, yield func(events.Leaf) error) error {
			return journal.Leaves(ctx, c.store.DB(), after, to, yield)
		}}
}

func (c *copies) config() verify.Config {
	return verify.Config{Last: uint64(len(c.log)), Journal: c.store.DB(), Dir: c.dir, Progress: func(uint64, uint64) {},
		Log: func(_ context.Context, yield func(*events.Event) error) error {
			for k := range c.log {
				if err := yield(&c.log[k]); err != nil {
					return err
				}
			}
			return nil
		}}
}

func (c *copies) verify(t *testing.T, change ...func(*verify.Config)) *verify.Report {
	t.Helper()
	config := c.config()
	for _, f := range change {
		f(&config)
	}
	r, err := verify.Run(t.Context(), config)
	check(t, err)
	return r
}

func (c *copies) sql(t *testing.T, statement string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.root, "projections", "*.db"))
	check(t, err)
	if len(files) != 1 {
		t.Fatalf("the journal is in %q", files)
	}
	db, err := sql.Open("sqlite", files[0])
	check(t, err)
	defer db.Close()
	result, err := db.Exec(statement)
	check(t, err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows: %v", statement, n, err)
	}
}

func (c *copies) flip(t *testing.T, name string, at int) {
	t.Helper()
	path := filepath.Join(string(c.dir), name)
	b, err := os.ReadFile(path)
	check(t, err)
	b[at] ^= 1
	check(t, os.WriteFile(path, b, 0o600))
}

const size, signed = 700, 650

// What is whole is found so, whether all of it is signed, some or nothing, and while the
// journal is behind.
func TestWhole(t *testing.T) {
	c := newCopies(t, size, signed)
	r := c.verify(t)
	if len(r.Findings) > 0 || r.Events != size || r.Signed != signed || r.Origin != "hub.test/G1" || len(r.Root) != 64 {
		t.Errorf("%+v", r)
	}
	old, err := c.dir.Keys()
	check(t, err)
	text, before, err := c.dir.Signed()
	check(t, err)
	check(t, c.grower().Grow(t.Context(), size))
	opened, err := checkpoint.Open(text, old)
	check(t, err)
	r = c.verify(t, func(v *verify.Config) { v.Since, v.Keys = &opened, old })
	if len(r.Findings) > 0 || r.Signed != size || r.Since != signed || opened != before {
		t.Errorf("since an older checkpoint: %+v", r)
	}
	c.sql(t, "DELETE FROM events WHERE seq > 690")
	c.dir = tree.Of(t.TempDir(), "G1")
	if r := c.verify(t); len(r.Findings) > 0 || r.Signed != 0 {
		t.Errorf("unsigned, with a journal that is behind: %+v", r)
	}
}

// Whatever byte is changed in whichever copy, the finding names its event.
func TestOneByteAnywhere(t *testing.T) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	whole := newCopies(t, size, signed)
	for range rounds() {
		seq := 1 + random.IntN(signed)
		for name, change := range map[string]func(e *events.Event){
			"data": func(e *events.Event) {
				e.Data = bytes.Clone(e.Data)
				e.Data[random.IntN(len(e.Data))] ^= 1
			},
			"subject": func(e *events.Event) { e.Subject += "x" },
			"a header": func(e *events.Event) {
				e.Attributes = slices.Clone(e.Attributes)
				a := &e.Attributes[random.IntN(len(e.Attributes))]
				a.Value += "x"
			},
			"a header's name": func(e *events.Event) {
				e.Attributes = slices.Clone(e.Attributes)
				e.Attributes[len(e.Attributes)-1].Name += "x"
			},
			"one header more": func(e *events.Event) {
				e.Attributes = slices.Clone(e.Attributes)
				e.Set("ce-zz", "1")
			},
		} {
			was := whole.log[seq-1]
			change(&whole.log[seq-1])
			wants(t, whole, "the log: "+name, uint64(seq), "the log and the journal and")
			whole.log[seq-1] = was
		}
		if seq < signed { // the order
			swap := func() {
				whole.log[seq-1], whole.log[seq] = whole.log[seq], whole.log[seq-1]
				whole.log[seq-1].Seq, whole.log[seq].Seq = uint64(seq), uint64(seq+1)
			}
			swap()
			wants(t, whole, "the order", uint64(seq), "the log")
			swap()
		}
		at := random.IntN(650 * 32)
		name := fmt.Sprintf("tile/0/%03d", at/8192)
		if at/8192 == 2 {
			name += ".p/138"
		}
		whole.flip(t, name, at%8192)
		wants(t, whole, name, uint64(at/32+1), "the tree and")
		whole.flip(t, name, at%8192)
		at = random.IntN(2 * 32)
		whole.flip(t, "tile/1/000.p/2", at)
		wants(t, whole, "level 1", uint64(at/32*256+1), "in the tree")
		whole.flip(t, "tile/1/000.p/2", at)
	}
	for name, length := range map[string]int{"checkpoint": 100, "keys": 65} {
		for at := random.IntN(30); at < length; at += 90 / rounds() {
			whole.flip(t, name, at)
			if r := whole.verify(t); len(r.Findings) == 0 || !strings.Contains(r.Findings[0].What, "checkpoint") {
				t.Errorf("byte %d of %s: %+v", at, name, r)
			}
			whole.flip(t, name, at)
		}
	}
	if r := whole.verify(t); len(r.Findings) > 0 {
		t.Errorf("put back as it was: %+v", r)
	}
}

// rounds is how often each change is made; HUBLEDGER_SOAK makes it more.
func rounds() int {
	switch os.Getenv("HUBLEDGER_SOAK") {
	case "":
		return 3
	case "long":
		return 30
	}
	return 10
}

func wants(t *testing.T, c *copies, what string, seq uint64, text string) {
	t.Helper()
	r := c.verify(t)
	if len(r.Findings) == 0 || r.Findings[0].Seq != seq || !strings.Contains(r.Findings[0].What, text) {
		t.Fatalf("%s of event %d: %+v", what, seq, r.Findings)
	}
}

// The same for every column of the journal.
func TestOneRow(t *testing.T) {
	for column, value := range map[string]string{
		"data": "x'00'", "leaf": "zeroblob(32)", "subject": "subject || 'x'", "type": "type || 'x'", "actor": "actor || 'x'", "time": "time + 1",
		"correlation": "zeroblob(17)", "head": "x'ff'",
	} {
		t.Run(column, func(t *testing.T) {
			c := newCopies(t, 300, 260)
			c.sql(t, "UPDATE events SET "+column+" = "+value+" WHERE seq = 137")
			wants(t, c, column, 137, "journal")
		})
	}
	c := newCopies(t, 300, 260)
	c.sql(t, "DELETE FROM events WHERE seq = 137")
	wants(t, c, "the row", 137, "the journal does not have it")
}

// Ends that are missing, and what cannot be read.
func TestMissing(t *testing.T) {
	c := newCopies(t, size, signed)
	log := c.log
	c.log = log[:600]
	wants(t, c, "the end", 601, "the log ends before it, but a checkpoint of 650 events was signed")
	c.log = slices.Concat(log[:99], log[100:])
	wants(t, c, "one", 100, "the log does not have it")
	c.log = log
	r := c.verify(t, func(v *verify.Config) {
		v.Log = func(_ context.Context, yield func(*events.Event) error) error {
			for k := range 411 {
				if err := yield(&log[k]); err != nil {
					return err
				}
			}
			return os.ErrInvalid
		}
	})
	if len(r.Findings) != 1 || r.Findings[0].Seq != 412 || !strings.Contains(r.Findings[0].What, "cannot be read from here on") {
		t.Errorf("%+v", r)
	}
	check(t, os.Remove(filepath.Join(string(c.dir), "tile/0/001")))
	wants(t, c, "a tile", 257, "the tree cannot be read from here on, for 256 events")
}

// A log that is rewritten with its journal, leaves and tree is found by what was signed.
func TestEverythingRewritten(t *testing.T) {
	c := newCopies(t, size, signed)
	text, old, err := c.dir.Signed()
	check(t, err)
	keys, err := c.dir.Keys()
	check(t, err)
	e := &c.log[298]
	e.Set(events.AttrActor, "mallory")
	rewritten := events.LeafOf(e)
	c.sql(t, fmt.Sprintf("UPDATE events SET actor = 'mallory', leaf = x'%x' WHERE seq = 299", rewritten))
	wants(t, c, "without the tree", 299, "the tree")
	// The tree made anew, with the checkpoint that was signed.
	fresh := tree.Dir(t.TempDir())
	was := c.dir
	c.dir = fresh
	check(t, c.grower().Grow(t.Context(), signed))
	check(t, os.WriteFile(filepath.Join(string(fresh), "checkpoint"), text, 0o600))
	r := c.verify(t)
	if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].What, "not those of which the last checkpoint was signed") {
		t.Errorf("%+v", r)
	}
	// And signed anew: then whoever has kept the old one knows.
	check(t, os.RemoveAll(string(fresh)))
	check(t, c.grower().Grow(t.Context(), signed))
	if r := c.verify(t); len(r.Findings) > 0 {
		t.Errorf("signed anew nothing is to be seen, but: %+v", r)
	}
	opened, err := checkpoint.Open(text, keys)
	check(t, err)
	if r = c.verify(t, func(v *verify.Config) { v.Since = &opened }); len(r.Findings) != 1 || !strings.Contains(r.Findings[0].What, "the first 650 events are not those of the checkpoint of hub.test/G1") {
		t.Errorf("%+v", r)
	}
	longer := old
	longer.N = 5000
	if r = c.verify(t, func(v *verify.Config) { v.Since = &longer }); len(r.Findings) != 1 || r.Findings[0].Seq != size+1 {
		t.Errorf("%+v", r)
	}
	c.dir = was
	if _, err := proof.Make(c.dir, e); err == nil || !strings.Contains(err.Error(), "not the one that was signed") {
		t.Errorf("a proof of the event that was rewritten: %v", err)
	}
}

// BenchmarkVerify compares logs of HUBLEDGER_EVENTS pushes, or 20,000, and makes checkpoints and proofs of them.
func BenchmarkVerify(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_EVENTS"))
	if err != nil {
		n = 20_000
	}
	begin := time.Now()
	c := newCopies(b, n, n-1)
	b.Logf("journal and first checkpoint of %d events: %v", n, time.Since(begin).Round(time.Millisecond))
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if r, err := verify.Run(b.Context(), c.config()); err != nil || len(r.Findings) > 0 {
				b.Fatalf("%+v %v", r, err)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("checkpoint", func(b *testing.B) {
		check(b, c.grower().Grow(b.Context(), uint64(n)-1))
		text, err := os.ReadFile(filepath.Join(string(c.dir), "checkpoint"))
		check(b, err)
		for b.Loop() {
			b.StopTimer()
			check(b, os.WriteFile(filepath.Join(string(c.dir), "checkpoint"), text, 0o600))
			b.StartTimer()
			check(b, c.grower().Grow(b.Context(), uint64(n)))
		}
	})
	b.Run("proof", func(b *testing.B) {
		for k := 0; b.Loop(); k++ {
			_, err := proof.Make(c.dir, &c.log[k%(n-1)])
			check(b, err)
		}
	})
}

// What is left of a redacted event has no leaf of its own: the log and the journal are
// compared with each other, and an event that was redacted in one of them only is named.
func TestRedacted(t *testing.T) {
	c := newCopies(t, size, signed)
	was := c.log[2]
	c.log[2] = events.Redact(&was)
	wants(t, c, "in the log only", 3, "the log says that it was redacted, and the journal has it whole")
	c.log[2] = was

	redacted := events.Redact(&c.log[2])
	log := &projectiontest.Log{}
	for k := range c.log {
		e := c.log[k]
		if k == 2 {
			e = redacted
		}
		log.Append(e)
	}
	storage := sqlitestore.Dir(t.TempDir())
	check(t, bulk.Rebuild(t.Context(), bulk.Config{Projection: &journal.Projection, Storage: storage, Source: log, Generation: "G1", Logger: projectiontest.Quiet}, func(uint64, uint64) {}))
	store, err := storage.Open(t.Context(), &journal.Projection, projections.Options{Generation: "G1", Logger: projectiontest.Quiet})
	check(t, err)
	t.Cleanup(func() { store.Close() })
	c.store = store
	wants(t, c, "in the journal only", 3, "the journal says that it was redacted, and the log has it whole")
	c.log[2] = redacted
	if r := c.verify(t); len(r.Findings) > 0 || !slices.Equal(r.Redacted, []uint64{3}) {
		t.Errorf("in both: %+v", r)
	}
	c.log[2].Subject += "x"
	wants(t, c, "changed", 3, "what the log and the journal have left of it, which was redacted, differs")
}
