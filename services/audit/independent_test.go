package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/audit/proof"
)

// buildProofs builds tools/proofs.
func buildProofs(t *testing.T, dir string) (program string) {
	t.Helper()
	program = filepath.Join(dir, "proofs")
	build := exec.Command("go", "-C", "../../tools/proofs", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" || strings.Contains(string(out), ".go:") {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("the verifiers cannot be built, which needs their modules: %v\n%s", err, out)
	}
	return program
}

// signedHub is a hub whose log was signed.
func signedHub(t *testing.T) *hub {
	t.Helper()
	h := newHub(t)
	if err := h.Audit().Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// inFolder writes files into a folder, and returns their paths.
func inFolder(t *testing.T, dir string) func(name, text string) string {
	return func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// Verifiers that others have written (tools/proofs) accept every proof, and none that was
// changed.
func TestIndependentVerifiers(t *testing.T) {
	dir := t.TempDir()
	program := buildProofs(t, dir)
	h, file := signedHub(t), inFolder(t, dir)
	_, text := h.get("", "/.well-known/hubledger/checkpoint.vkey", nil)
	args := []string{file("keys", text)}
	for seq := range h.LastSeq() {
		status, text := h.get("admin", fmt.Sprintf("/api/v1/events/%d/proof", seq+1), nil)
		if status != 200 {
			t.Fatalf("event %d: %d %s", seq+1, status, text)
		}
		args = append(args, file(fmt.Sprintf("%d.tlog-proof", seq+1), text))
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil || bytes.Count(out, []byte("stands in the")) != len(args)-1 {
		t.Fatalf("%v\n%s", err, out)
	}
	proof, err := os.ReadFile(args[len(args)-1])
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"event":      strings.Replace(string(proof), "\nextra ", "\nextra AAAA", 1),
		"place":      strings.Replace(string(proof), "\nindex ", "\nindex 1", 1),
		"checkpoint": strings.Replace(string(proof), "\n\nhubledger/", "\n\nhubledger/X", 1),
	} {
		if out, err := exec.Command(program, args[0], file(name, changed)).CombinedOutput(); err == nil {
			t.Errorf("with another %s: %s", name, out)
		}
	}
}

// Verifiers that others have written accept the proof of an event that was redacted, by its
// leaf: that of before and that of after prove the same, that an event of just this leaf
// stands there.
func TestIndependentVerifiersOfRedactedEvents(t *testing.T) {
	dir := t.TempDir()
	program := buildProofs(t, dir)
	h, file := signedHub(t), inFolder(t, dir)
	_, keys := h.get("", "/.well-known/hubledger/checkpoint.vkey", nil)
	_, text := h.get("admin", "/api/v1/events/3/proof", nil)
	p, err := proof.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.ReadRecord(p.Record)
	if err != nil {
		t.Fatal(err)
	}
	leaf := fmt.Sprintf("%x", events.LeafOf(&e))
	redacted := events.Redact(&e)
	p.Record = events.Record(&redacted)
	keyFile, before, after := file("keys", keys), file("before", text), file("after", string(p.Text()))
	accepts := func(args ...string) bool {
		out, err := exec.Command(program, args...).CombinedOutput()
		t.Logf("%s", out)
		return err == nil && bytes.Contains(out, []byte("stands in the"))
	}
	if accepts(keyFile, after) {
		t.Error("a record that was redacted passes for one that was signed")
	}
	if !accepts("-leaf", leaf, keyFile, before, after) {
		t.Error("the leaf of a redacted event is not proved")
	}
	for name, other := range map[string]string{"another leaf": leaf[2:] + leaf[:2], "no leaf": "x"} {
		if accepts("-leaf", other, keyFile, after) {
			t.Errorf("%s is proved", name)
		}
	}
}
