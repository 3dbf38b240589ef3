package audit_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/services/audit/checkpoint"
	"hubledger/services/audit/proof"
	"hubledger/services/audit/witness"
	"hubledger/services/audit/witness/witnesstest"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// What the hub signs is cosigned by a witness that others have written, without anybody
// asking for it, and is published; a witness that is away holds nothing up. Proofs have the
// cosignature, by which verifiers of others accept them.
func TestWitnesses(t *testing.T) {
	lite := witnesstest.Start(t)
	away := must[*witness.Witness](t)(witness.Parse("http://127.0.0.1:1 " + witnesstest.VerifierKey("witness.test/away", make([]byte, 32))))
	h := servertest.Start(t, server.Config{Witnesses: []*witness.Witness{away, lite.Witness()}})
	admin := h.Token(servertest.Admin, "admin")
	get := func(path string) string {
		t.Helper()
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "GET", h.URL+path, nil))
		r.Header.Set("Authorization", "Bearer "+admin)
		resp := must[*http.Response](t)(http.DefaultClient.Do(r))
		defer resp.Body.Close()
		text := must[[]byte](t)(io.ReadAll(resp.Body))
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, text)
		}
		return string(text)
	}
	key := must[*checkpoint.WitnessKey](t)(checkpoint.ParseWitnessKey(lite.Key()))
	if err := h.Audit().Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := key.Cosigned([]byte(get("/checkpoint"))); ok {
		t.Fatal("it is cosigned by a witness that does not know the log")
	}
	keys := get("/.well-known/hubledger/checkpoint.vkey")
	lite.AddLog(strings.TrimSpace(keys))
	for round := range 3 {
		h.Client().MustPush(t, "admin/app", fmt.Sprint(round), registrytest.NewImage(fmt.Sprint(round)))
		h.CatchUp()
		if err := h.Audit().Sign(t.Context()); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if at, ok := key.Cosigned([]byte(get("/checkpoint"))); ok {
				if age := time.Since(at); age < -time.Minute || age > time.Minute {
					t.Errorf("cosigned %v ago", age)
				}
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%d: nobody has cosigned\n%s", round, get("/checkpoint"))
			}
		}
	}
	if shown := get("/api/v1/checkpoint"); !strings.Contains(shown, `"witness":"witness.test/lite"`) || !strings.Contains(shown, lite.Key()) {
		t.Error(shown)
	}
	if text := get("/metrics"); !strings.Contains(text, `hubledger_witness_cosigned_events{witness="witness.test/lite"}`) {
		t.Error("there is no metric of it")
	}
	if text := get("/api/v1/asyncapi.json"); !strings.Contains(text, `"asyncapi": "3.0.0"`) || !strings.Contains(text, `"image.pushed.v1"`) {
		t.Errorf("the description of the log is %.200s", text)
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := get(fmt.Sprintf("/api/v1/events/%d/proof", h.LastSeq()))
	p := must[*proof.Proof](t)(proof.Parse([]byte(text)))
	if _, _, err := p.Verify(must[checkpoint.Keys](t)(checkpoint.ParseKeys(keys))); err != nil {
		t.Error(err)
	}
	program := buildProofs(t, dir)
	args := []string{"-witness", lite.Key(), file("keys", keys)}
	if out, err := exec.Command(program, append(args, file("good", text))...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	alone, _, _ := strings.Cut(text, "— witness.test/lite ")
	if out, err := exec.Command(program, append(args, file("alone", alone))...).CombinedOutput(); err == nil {
		t.Errorf("without the cosignature: %s", out)
	}
}
