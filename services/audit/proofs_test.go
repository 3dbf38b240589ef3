package audit_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"hubledger/events"
	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/audit/tree"
	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Whoever may read an event may prove it, with what the hub publishes and nothing else; to
// others it is not there.
func TestProofs(t *testing.T) {
	h := newHub(t)
	first := h.all("admin", "type:image.pushed repo:acme/private")[0]
	if status, body := h.get("admin", fmt.Sprintf("/api/v1/events/%d/proof", first.Seq), nil); status != 409 || !strings.Contains(body, "not in a signed checkpoint yet") {
		t.Errorf("before anything is signed: %d %s", status, body)
	}
	for _, path := range []string{"/checkpoint", "/api/v1/checkpoint", "/tile/0/000.p/1", "/.well-known/hubledger/checkpoint.vkey"} {
		if status, body := h.get("", path, nil); status != 404 {
			t.Errorf("%s before anything is signed: %d %s", path, status, body)
		}
	}
	if err := h.Audit().Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	signed := h.LastSeq()
	_, text := h.get("", "/.well-known/hubledger/checkpoint.vkey", nil)
	keys := must[checkpoint.Keys](t)(checkpoint.ParseKeys(text))
	_, text = h.get("", "/checkpoint", nil)
	c := must[checkpoint.Checkpoint](t)(checkpoint.Open([]byte(text), keys))
	if uint64(c.N) != signed || c.Origin != checkpoint.Origin("hubledger", h.Log().Generation()) {
		t.Errorf("signed is %+v", c)
	}
	var shown apitypes.Checkpoint
	if h.get("", "/api/v1/checkpoint", &shown); shown.Signed != text || shown.Events != signed || shown.Root != hex.EncodeToString(c.Hash[:]) || shown.Keys[0] != keys[0] {
		t.Errorf("%+v", shown)
	}
	for _, e := range h.all("admin", "") {
		for as, secret := range h.secrets {
			status, one := h.get(as, fmt.Sprintf("/api/v1/events/%d", e.Seq), nil)
			path := fmt.Sprintf("/api/v1/events/%d/proof", e.Seq)
			if len(secret)%2 == 0 {
				path = "/api/v1/events/" + e.ID + "/proof"
			}
			proved, text := h.get(as, path, nil)
			if proved != status || status != 200 && text != one {
				t.Fatalf("event %d as %q: %d, its proof %d %s", e.Seq, as, status, proved, text)
			}
			if proved != 200 {
				continue
			}
			p := must[*proof.Proof](t)(proof.Parse([]byte(text)))
			got, in, err := p.Verify(keys)
			if err != nil || got.ID() != e.ID || got.Seq != e.Seq || in != c {
				t.Fatalf("event %d: %+v %v", e.Seq, got, err)
			}
		}
	}
	// The tiles are enough to prove as well.
	tiles := tlog.TileHashReader(c.Tree, web{h})
	p := must[tlog.RecordProof](t)(tlog.ProveRecord(c.N, int64(first.Seq)-1, tiles))
	one := must[*events.Event](t)(h.Log().Get(t.Context(), first.Seq))
	if err := tlog.CheckRecord(p, c.N, c.Hash, int64(first.Seq)-1, tlog.Hash(events.LeafOf(one))); err != nil {
		t.Error(err)
	}
	// What comes after the checkpoint is in none, and not in the tiles.
	h.Client().MustPush(t, "acme/public", "2.0", registrytest.NewImage("later"))
	h.CatchUp()
	if status, _ := h.get("admin", fmt.Sprintf("/api/v1/events/%d/proof", h.LastSeq()), nil); status != 409 {
		t.Errorf("a later event: %d", status)
	}
	for _, path := range []string{fmt.Sprintf("/tile/0/000.p/%d", signed+1), "/tile/0/000", "/tile/../keys", "/tile/0/%2e%2e/keys", "/tile/entries/000"} {
		if status, body := h.get("", path, nil); status != 404 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if err := h.Audit().Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := h.get("", fmt.Sprintf("/tile/0/000.p/%d", signed), nil); status != 200 {
		t.Errorf("the tile of the earlier checkpoint: %d", status)
	}
}

// web reads tiles as a stranger does.
type web struct{ *hub }

func (web) Height() int                     { return 8 }
func (web) SaveTiles([]tlog.Tile, [][]byte) {}
func (w web) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		answer := w.request(context.Background(), "", "/tile/"+strings.TrimPrefix(t.Path(), "tile/8/"))
		data, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%v: %d %w", t, answer.StatusCode, err)
		}
		all = append(all, data)
	}
	return all, nil
}

// An orderly stop signs everything, also what is recorded while the hub stops; a log of
// which more was signed than it has is read-only from the start.
func TestStopSignsAll(t *testing.T) {
	config := server.Config{Data: t.TempDir(), SecretsKeyFile: filepath.Join(t.TempDir(), "key")}
	var generation string
	t.Run("run", func(t *testing.T) {
		s := servertest.Start(t, config)
		s.Client().MustPush(t, "admin/app", "1.0", registrytest.NewImage("app"))
		generation = s.Log().Generation()
	})
	_, c, err := tree.Of(config.Data, generation).Signed()
	if err != nil {
		t.Fatal(err)
	}
	s := servertest.Start(t, config)
	if last := s.LastSeq(); uint64(c.N) < last-2 || c.N == 0 { // a start records what it begins with
		t.Errorf("%d events are signed, there are %d", c.N, last)
	}
}
