package witness_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/tree"
	"hubledger/services/audit/witness"
	"hubledger/services/audit/witness/witnesstest"
)

const origin = "hub.test/G1"

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A grown is a tree over leaves, of which those from the forked one on are of another log.
type grown struct {
	*tree.Grower
	t testing.TB
}

func grow(t testing.TB, forked int) *grown {
	return &grown{&tree.Grower{Dir: tree.Dir(t.TempDir()), Origin: origin, Key: func(context.Context) (ed25519.PrivateKey, error) { return key, nil },
		Leaves: func(_ context.Context, after, to uint64, yield func(events.Leaf) error) error {
			for k := after; k < to; k++ {
				n := k
				if k >= uint64(forked) {
					n += 1 << 32
				}
				if err := yield(sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))); err != nil {
					return err
				}
			}
			return nil
		}}, t}
}

// cosigned signs so many leaves and has the witness cosign them.
func (g *grown) cosigned(w *witness.Witness, size uint64) error {
	g.t.Helper()
	check(g.t, g.Grow(g.t.Context(), size))
	signed, c, err := g.Dir.Signed()
	check(g.t, err)
	answer, err := w.Cosign(g.t.Context(), signed, c, func(old int64) (tlog.TreeProof, error) { return tlog.ProveTree(c.N, old, g.Dir.Hashes(c.Tree)) })
	if err != nil {
		return err
	}
	if err := g.Cosign(w.Key, c, answer); err != nil {
		return err
	}
	signed, after, err := g.Dir.Signed()
	check(g.t, err)
	if _, ok := w.Key.Cosigned(signed); !ok || after != c {
		return fmt.Errorf("what is kept of %d leaves is not cosigned:\n%s", size, signed)
	}
	return nil
}

// litewitness cosigns a log that grows, also when we have forgotten how far it has come, and
// refuses one that is not a continuation of what it has seen.
func TestLitewitness(t *testing.T) {
	l := witnesstest.Start(t)
	w := l.Witness()
	g := grow(t, 1<<30)
	if err := g.cosigned(w, 3); err == nil || !strings.Contains(err.Error(), "does not know this log") {
		t.Fatalf("before it knows the log: %v", err)
	}
	public, err := checkpoint.PublicKey(origin, key.Public().(ed25519.PublicKey))
	check(t, err)
	l.AddLog(public)
	for _, size := range []uint64{3, 4, 300, 301} {
		check(t, g.cosigned(w, size))
	}
	w = l.Witness() // the hub was started again
	check(t, g.cosigned(w, 301))
	check(t, g.cosigned(l.Witness(), 70000))
	if err := g.cosigned(w, 70001); err != nil { // another node was faster
		t.Error(err)
	}
	keys, err := g.Dir.Witnesses()
	if err != nil || len(keys) != 1 || keys[0].String() != l.Key() {
		t.Errorf("the keys of witnesses that are kept: %v %v", keys, err)
	}
	for name, c := range map[string]struct {
		forked int
		size   uint64
		want   error
	}{
		"a fork that is longer":       {forked: 250, size: 70100, want: witness.ErrFork},
		"a fork at the end":           {forked: 70000, size: 70100, want: witness.ErrFork},
		"a fork of the same length":   {forked: 0, size: 70001, want: witness.ErrFork},
		"a log that has lost its end": {forked: 1 << 30, size: 69999, want: witness.ErrAhead},
		"a fork that is shorter":      {forked: 9, size: 20, want: witness.ErrAhead},
	} {
		if err := grow(t, c.forked).cosigned(l.Witness(), c.size); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, g.cosigned(w, 70200))
	l.Stop()
	if err := g.cosigned(w, 70300); err == nil {
		t.Error("a witness that is away has cosigned")
	}
}

// A witness may answer what it wants: it is asked a few times at most, and nothing is kept
// but its signature of this checkpoint.
func TestHostile(t *testing.T) {
	public := key.Public().(ed25519.PublicKey)
	asked := 0
	for name, answer := range map[string]func(w http.ResponseWriter){
		"nothing":            func(http.ResponseWriter) {},
		"nonsense":           func(w http.ResponseWriter) { fmt.Fprint(w, "— witness.test/w AAAA\n\x00\xff") },
		"without end":        func(w http.ResponseWriter) { fmt.Fprint(w, strings.Repeat("— witness.test/w x\n", 1<<20)) },
		"an error":           func(w http.ResponseWriter) { http.Error(w, strings.Repeat("x", 1<<20), 500) },
		"another address":    func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1:1/"); w.WriteHeader(307) },
		"a size that is no":  func(w http.ResponseWriter) { w.WriteHeader(409); fmt.Fprint(w, "many\n") },
		"a negative size":    func(w http.ResponseWriter) { w.WriteHeader(409); fmt.Fprint(w, "-1\n") },
		"too large a size":   func(w http.ResponseWriter) { w.WriteHeader(409); fmt.Fprint(w, "9223372036854775807\n") },
		"always another one": func(w http.ResponseWriter) { w.WriteHeader(409); fmt.Fprintf(w, "%d\n", asked%3) },
		"another log":        func(w http.ResponseWriter) { w.WriteHeader(422) },
	} {
		t.Run(name, func(t *testing.T) {
			asked = 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; answer(w) }))
			defer s.Close()
			w, err := witness.Parse(s.URL + "/some/path " + witnesstest.VerifierKey("witness.test/w", public))
			check(t, err)
			g := grow(t, 1<<30)
			if err := g.cosigned(w, 50); err == nil || len(err.Error()) > 1000 {
				t.Errorf("%v", err)
			}
			if asked == 0 || asked > 3 {
				t.Errorf("it was asked %d times", asked)
			}
			if signed, _, err := g.Dir.Signed(); err != nil || strings.Contains(string(signed), "witness.test") {
				t.Errorf("%v\n%s", err, signed)
			}
		})
	}
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then it is noticed that the client has gone
		<-r.Context().Done()
	}))
	defer slow.Close()
	w, err := witness.Parse(slow.URL + " " + witnesstest.VerifierKey("witness.test/w", public))
	check(t, err)
	g := grow(t, 1<<30)
	check(t, g.Grow(t.Context(), 5))
	signed, c, err := g.Dir.Signed()
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.Cosign(ctx, signed, c, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of one that never answers: %v", err)
	}
}

func TestParse(t *testing.T) {
	vkey := witnesstest.VerifierKey("witness.test/w", key.Public().(ed25519.PublicKey))
	for _, bad := range []string{"", vkey, "https://witness.test", "witness.test " + vkey, "ftp://witness.test " + vkey, "https://u:p@witness.test " + vkey, "https:// " + vkey, "https://witness.test x", "https://witness.test " + vkey + " x"} {
		if _, err := witness.Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := witness.ParseAll([]string{"https://a.test " + vkey, "https://b.test " + vkey}); err == nil {
		t.Error("one witness is taken twice")
	}
}
