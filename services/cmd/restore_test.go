package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/projections"
	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// Whatever is damaged and whatever is left: a start builds nothing from a log that
// is not trusted, and a restore brings back every event that anything left knows of,
// or refuses and says how many it would lose.
func TestRestoreLosesNothingSilently(t *testing.T) {
	t.Parallel()
	stopped := filepath.Join(t.TempDir(), "data")
	h := startHubOn(t, stopped)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	for k := range 30 {
		if err := c.Push("admin/app", fmt.Sprint("v", k), registrytest.NewImage(fmt.Sprint(k))); err != nil {
			t.Fatal(err)
		}
	}
	want := awaitSeen(t, h)
	killed := filepath.Join(t.TempDir(), "data")
	copyTree(t, stopped, killed)
	h.Stop()

	damages := map[string]func(t *testing.T, msgs string){
		"flipped": func(t *testing.T, msgs string) { flipAt(t, msgs, 2) },
		"flipped twice, index lost": func(t *testing.T, msgs string) {
			flipAt(t, msgs, 2)
			flipAt(t, msgs, 3)
			os.Remove(filepath.Join(msgs, "index.db"))
		},
		"truncated": func(t *testing.T, msgs string) {
			if err := os.Truncate(filepath.Join(msgs, "1.blk"), sizeOf(t, msgs)/2); err != nil {
				t.Fatal(err)
			}
		},
		"block lost": func(t *testing.T, msgs string) { os.Remove(filepath.Join(msgs, "1.blk")) },
		"nats lost": func(t *testing.T, msgs string) {
			os.RemoveAll(filepath.Join(msgs, "../../../../.."))
		},
	}
	// What is deleted beside the damage. The operational store is the last that knows.
	left := map[string][]string{
		"all":                       nil,
		"no journal":                {"projections/journal-*"},
		"no projections, no seal":   {"projections", "seal.json"},
		"only the journal, no seal": {"projections/[^j]*", "seal.json", "operations.db*"},
	}
	for damage, harm := range damages {
		for what, gone := range left {
			from := stopped
			if slices.Contains(gone, "seal.json") {
				from = killed
			}
			t.Run(damage+", "+what, func(t *testing.T) {
				data := filepath.Join(t.TempDir(), "data")
				copyTree(t, from, data)
				harm(t, filepath.Join(data, "nats/jetstream/$G/streams/EVT/msgs"))
				for _, pattern := range gone {
					for _, path := range glob(t, data, pattern) {
						os.RemoveAll(path)
					}
				}
				restoreCase(t, data, want, what == "all" || strings.HasPrefix(what, "only the journal"))
			})
		}
	}
}

// restoreCase starts a hub on a damaged directory and restores its log. whole says
// that all events are still there.
func restoreCase(t *testing.T, data string, want uint64, whole bool) {
	builds := glob(t, data, "projections/*.db")
	h := startHubOn(t, data)
	if !h.ReadOnly {
		t.Fatalf("the damage is not noticed\n%s", h.Log())
	}
	page, err := http.Get(h.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	// What can be read is served, with the notice. Without read models nothing can be read.
	status, notice := http.StatusOK, "is read-only"
	if !slices.ContainsFunc(builds, func(path string) bool { return !strings.HasPrefix(filepath.Base(path), "journal-") }) {
		status, notice = http.StatusServiceUnavailable, "serves neither pulls nor pushes"
	}
	if page.StatusCode != status || !strings.Contains(string(text), notice) || !strings.Contains(string(text), "events restore") {
		t.Errorf("the page says %d %s, wanted %d %q", page.StatusCode, text, status, notice)
	}
	if _, stderr, code := h.Run("status"); code != console.ExitGuard || !strings.Contains(stderr, "events restore") {
		t.Errorf("status: %d, %s", code, stderr)
	}
	h.Stop()
	if now := glob(t, data, "projections/*.db"); !slices.Equal(now, builds) {
		t.Errorf("the start has made of a damaged log: %q, there were %q", now, builds)
	}

	stdout, stderr, code := h.Run("--json", "events", "restore")
	if whole && code != console.ExitOK {
		t.Fatalf("restore: %d, %s", code, stderr)
	}
	if !whole {
		if code != console.ExitFail || !strings.Contains(stderr, "--accept-loss") {
			t.Fatalf("restore: %d, %s%s", code, stdout, stderr)
		}
		named := stderr
		stdout, stderr, code = h.Run("--json", "events", "restore", "--accept-loss")
		if code != console.ExitOK {
			t.Fatalf("restore --accept-loss: %d, %s", code, stderr)
		}
		if n := restoredEvents(t, stdout); !strings.Contains(named, fmt.Sprintf("%d events (%d to %d) would be lost", want-n, n+1, want)) {
			t.Errorf("%d of %d events came back, the refusal said: %s", n, want, named)
		}
	} else if n := restoredEvents(t, stdout); n != want {
		t.Errorf("%d of %d events came back", n, want)
	}
	h.Start()
	if h.ReadOnly {
		t.Errorf("after the restore the hub is read-only\n%s", h.Log())
	}
	h.Stop()
}

// The log is made of its own journal, not of a longer one of an earlier generation.
func TestRestoreTakesTheLogsOwnJournal(t *testing.T) {
	journals := []journalBuild{
		{Info: projections.Info{Generation: "before", Position: 200}},
		{Info: projections.Info{Generation: "log", Position: 100}},
		{Info: projections.Info{Generation: "log", Position: 190}},
	}
	bestFirst(journals, "log")
	if journals[0].Position != 190 || journals[1].Position != 100 {
		t.Errorf("%+v", journals)
	}
	if bestFirst(journals, ""); journals[0].Position != 200 {
		t.Errorf("of a log without a generation: %+v", journals)
	}
}

// A journal in PostgreSQL is found by --postgres-url, and its absence is no reason to
// lose events.
func TestRestoreFromPostgres(t *testing.T) {
	t.Parallel()
	url := postgres.URL(t)
	h := startHub(t, "--postgres-url", url)
	organizations(t, h, "acme", "globex")
	stdout, _, _ := h.Run("--json", "status")
	var status struct{ Events uint64 }
	if err := json.Unmarshal([]byte(stdout), &status); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	flipAt(t, filepath.Join(h.Data, "nats/jetstream/$G/streams/EVT/msgs"), 2)
	if _, stderr, code := h.Run("events", "restore"); code != console.ExitFail || !strings.Contains(stderr, "--postgres-url") || !strings.Contains(stderr, "would be lost") {
		t.Errorf("without the database: %d, %s", code, stderr)
	}
	stdout, stderr, code := h.Run("--json", "events", "restore", "--postgres-url", url)
	if code != console.ExitOK {
		t.Fatalf("restore: %d, %s", code, stderr)
	}
	if n := restoredEvents(t, stdout); n != status.Events {
		t.Errorf("%d of %d events came back", n, status.Events)
	}
	if h.Start(); h.ReadOnly {
		t.Error("after the restore the hub is read-only")
	}
}

// A journal that lacks events that another projection has is nothing to build from.
func TestPrepareNeedsTheWholeJournal(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	organizations(t, h, "acme")
	h.Stop()
	kept := filepath.Join(t.TempDir(), "projections")
	copyTree(t, filepath.Join(h.Data, "projections"), kept)
	h.Start()
	organizations(t, h, "globex")
	h.Stop()
	for _, path := range glob(t, kept, "journal-*") {
		copyTree(t, path, filepath.Join(h.Data, "projections"))
	}
	flipAt(t, filepath.Join(h.Data, "nats/jetstream/$G/streams/EVT/msgs"), 2)
	if _, stderr, code := h.Run("projections", "prepare", "images"); code != console.ExitFail || !strings.Contains(stderr, "would lack events") {
		t.Errorf("prepare: %d, %s", code, stderr)
	}
	if made := glob(t, h.Data, "projections/*.next.db"); len(made) > 0 {
		t.Errorf("prepare has made %q", made)
	}
}

func restoredEvents(t *testing.T, stdout string) uint64 {
	t.Helper()
	var r struct{ Events, OldLast uint64 }
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%q: %v", stdout, err)
	}
	return r.Events
}

// awaitSeen returns the number of events when the operational store has noted it.
func awaitSeen(t *testing.T, h *hubProcess) uint64 {
	t.Helper()
	h.Restart() // a stop notes what the last second did not
	stdout, stderr, code := h.Run("--json", "status")
	var status struct{ Events uint64 }
	if err := json.Unmarshal([]byte(stdout), &status); err != nil || code != 0 || status.Events == 0 {
		t.Fatalf("status: %s%s, %v", stdout, stderr, err)
	}
	return status.Events
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func sizeOf(t *testing.T, msgs string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(msgs, "1.blk"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// flipAt flips a bit at one n-th of the log's only block.
func flipAt(t *testing.T, msgs string, n int) {
	t.Helper()
	path := filepath.Join(msgs, "1.blk")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(raw)
	damaged[len(damaged)/n] ^= 1
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
