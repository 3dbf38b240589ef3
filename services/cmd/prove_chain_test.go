package cmd

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/streams/restore"
)

// sampleLog makes a log of the samples of events of some aggregates, in their order.
func sampleLog(t *testing.T, dir string, aggregates ...string) {
	t.Helper()
	files, err := filepath.Glob("../../events/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	var list []events.Event
	for _, f := range files {
		if aggregate, _, _ := strings.Cut(filepath.Base(f), "."); !slices.Contains(aggregates, aggregate) {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var sample struct {
			Seq        uint64
			Subject    string
			Attributes map[string]string
			Data       json.RawMessage
		}
		if err := json.Unmarshal(text, &sample); err != nil {
			t.Fatal(err)
		}
		e := events.Event{Seq: sample.Seq, Subject: sample.Subject, Data: sample.Data}
		for name, value := range sample.Attributes {
			e.Set(name, value)
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b events.Event) int { return strings.Compare(a.Attr(events.AttrTime), b.Attr(events.AttrTime)) })
	// The samples do not have what led to the build: here it is the branch that moved.
	moved := slices.IndexFunc(list, func(e events.Event) bool { return e.Type() == "ref.moved.v1" })
	for k := range list {
		if moved >= 0 && strings.HasPrefix(list[k].Type(), "build.") {
			list[k].Set(events.AttrCause, list[moved].ID())
			list[k].Set(events.AttrCorrelation, list[moved].Correlation())
		}
	}
	entries := func(yield func(restore.Entry, error) bool) {
		for k, e := range list {
			e.Seq = uint64(k + 1)
			if !yield(restore.Entry{Event: e, Leaf: events.LeafOf(&e)}, nil) {
				return
			}
		}
	}
	if _, err := restore.Run(t.Context(), restore.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, restore.Copy{Entries: entries}); err != nil {
		t.Fatal(err)
	}
}

// The events of a build and of a deployment are proved with what led to them, and every proof
// holds without the hub, also for verifiers that others have written.
func TestProveChains(t *testing.T) {
	t.Parallel()
	data, out := filepath.Join(t.TempDir(), "data"), t.TempDir()
	sampleLog(t, data, "namespace", "ref", "push", "build", "environment", "deployment")
	h := startHubOn(t, data)
	h.Stop() // signs everything
	h.Start()
	key := filepath.Join(out, "key")
	if err := os.WriteFile(key, []byte(h.mustRun(t, "checkpoint", "--key")), 0o600); err != nil {
		t.Fatal(err)
	}
	var proofs []string
	for kind, want := range map[string][]string{
		"build":      {"build.queued.v1", "build.claimed.v1", "build.pushed.v1", "build.finished.v1", "ref.moved.v1"},
		"deployment": {"deployment.requested.v1", "deployment.admitted.v1"},
	} {
		id := map[string]string{"build": "0199d6a5-3c00-5000-8000-000000000401", "deployment": "0199d6a5-3c00-7000-8000-000000000081"}[kind]
		dir := filepath.Join(out, kind)
		h.mustRun(t, "prove", kind, id, "-o", dir)
		said := h.mustRun(t, "verify-proof", dir, "--key", key)
		for _, name := range want {
			if !strings.Contains(said, name) {
				t.Errorf("the %s lacks %s:\n%s", kind, name, said)
			}
		}
		for line := range strings.Lines(h.mustRun(t, "--json", "verify-proof", dir, "--key", key)) {
			var e provedEvent
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if kind == "deployment" && strings.HasPrefix(e.Type, "build.") {
				t.Errorf("%s is not of the deployment", e.Type)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		proofs = append(proofs, files...)
		if _, stderr, code := h.Run("prove", kind, id, "-o", dir); code == 0 || !strings.Contains(stderr, "there already") {
			t.Errorf("over a directory: %d %s", code, stderr)
		}
	}
	if _, stderr, code := h.Run("prove", "build", "0199d6a5-3c00-5000-8000-000000000999"); code == 0 || !strings.Contains(stderr, "has no build") {
		t.Errorf("a build that is not there: %d %s", code, stderr)
	}
	program := filepath.Join(out, "proofs")
	build := exec.Command("go", "-C", "../../tools/proofs", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatalf("%v\n%s", err, text)
		}
		t.Skipf("the verifiers cannot be built, which needs their modules: %v\n%s", err, text)
	}
	text, err := exec.Command(program, append([]string{key}, proofs...)...).CombinedOutput()
	if err != nil || strings.Count(string(text), "stands in the") != len(proofs) {
		t.Errorf("%v of %d\n%s", err, len(proofs), text)
	}
}
