package proof_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/projectiontest"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/audit/tree"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signed is the tree of n pushes, and its keys.
func signed(t testing.TB, n uint64) (tree.Dir, checkpoint.Keys) {
	dir, key := tree.Dir(t.TempDir()), ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	g := &tree.Grower{Dir: dir, Origin: "hub.test/G1", Key: func(context.Context) (ed25519.PrivateKey, error) { return key, nil },
		Leaves: func(_ context.Context, after, to uint64, yield func(events.Leaf) error) error {
			for seq := after + 1; seq <= to; seq++ {
				e := projectiontest.Image(seq)
				if err := yield(events.LeafOf(&e)); err != nil {
					return err
				}
			}
			return nil
		}}
	check(t, g.Grow(t.Context(), n))
	keys, err := dir.Keys()
	check(t, err)
	return dir, keys
}

// A proof survives being written and read, and no byte of it can be another one.
func TestEveryByteCounts(t *testing.T) {
	dir, keys := signed(t, 300)
	e := projectiontest.Image(270)
	p, err := proof.Make(dir, &e)
	check(t, err)
	text := p.Text()
	p, err = proof.Parse(text)
	check(t, err)
	got, c, err := p.Verify(keys)
	check(t, err)
	if got.Seq != 270 || events.LeafOf(got) != events.LeafOf(&e) || c.N != 300 {
		t.Errorf("%+v in %+v", got, c)
	}
	for at := range text {
		changed := bytes.Clone(text)
		changed[at] ^= 1
		p, err := proof.Parse(changed)
		if err == nil {
			_, _, err = p.Verify(keys)
		}
		if err == nil {
			t.Errorf("with byte %d (%q) changed to %q it is still a proof", at, text[at], changed[at])
		}
	}
	for n := range len(text) / 50 {
		if p, err := proof.Parse(text[:n*50]); err == nil {
			if _, _, err := p.Verify(keys); err == nil {
				t.Errorf("the first %d bytes are a proof", n*50)
			}
		}
	}
}

// What was not signed, and what is not what was signed, has no proof.
func TestNoProof(t *testing.T) {
	dir, keys := signed(t, 300)
	e := projectiontest.Image(301)
	if _, err := proof.Make(dir, &e); !errors.Is(err, proof.ErrNotSigned) {
		t.Errorf("an event behind the checkpoint: %v", err)
	}
	e = projectiontest.Image(17)
	e.Set(events.AttrActor, "mallory")
	if _, err := proof.Make(dir, &e); err == nil || !strings.Contains(err.Error(), "not the one that was signed") {
		t.Errorf("another event: %v", err)
	}
	if _, err := proof.Make(tree.Dir(t.TempDir()), &e); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before anything was signed: %v", err)
	}
	// The record of one event at the place of another one.
	e = projectiontest.Image(17)
	p, err := proof.Make(dir, &e)
	check(t, err)
	e.Seq = 18
	p.Record = events.Record(&e)
	if got, _, err := p.Verify(keys); err == nil {
		t.Errorf("it proves %+v", got)
	}
}

// Whatever is read, nothing but a proof is one.
func FuzzParse(f *testing.F) {
	dir, keys := signed(f, 3)
	e := projectiontest.Image(2)
	p, err := proof.Make(dir, &e)
	check(f, err)
	f.Add(p.Text())
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := proof.Parse(text)
		if err != nil {
			return
		}
		if got, _, err := p.Verify(keys); err == nil && events.LeafOf(got) != events.LeafOf(&e) {
			t.Errorf("it proves %+v", got)
		}
	})
}
