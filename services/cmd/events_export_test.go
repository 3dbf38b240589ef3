package cmd

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/projectiontest"
	"hubledger/services/internal/cloudevent"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/readmodel"
)

// mustRun runs a command that succeeds.
func (h *hubProcess) mustRun(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := h.Run(args...)
	if code != 0 {
		t.Fatalf("%v: %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// exportedHub has accounts, pushes and deletions.
func exportedHub(t *testing.T) *hubProcess {
	h := startHub(t)
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	for k := range 4 {
		if err := c.Push("admin/app", fmt.Sprintf("v%d", k), registrytest.NewImage(fmt.Sprint(k))); err != nil {
			t.Fatal(err)
		}
	}
	h.mustRun(t, "orgs", "create", "acme", "--owner", "admin")
	h.mustRun(t, "repos", "create", "acme/app")
	h.mustRun(t, "repos", "set", "acme/app", "--description", "=1+1, a \"formula\"")
	h.mustRun(t, "tags", "rm", "admin/app:v0")
	h.mustRun(t, "repos", "rm", "acme/app")
	return h
}

// readEvents reads a file of CloudEvents.
func readEvents(t *testing.T, path string) (list []events.Event) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := cloudevent.NewReader(f); ; {
		e, err := in.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
}

// rows are all rows of all read models of a hub that is stopped, by the name of the read model.
func rows(t *testing.T, data string) map[string]string {
	t.Helper()
	storage := readmodel.Storage(data, "")
	builds, err := storage.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, b := range builds {
		for _, p := range server.ReadModels() {
			if p.Name != b.Name || p.Version != b.Version {
				continue
			}
			store, err := storage.Open(t.Context(), p, projections.Options{Build: b.Build, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			position, rest, _ := strings.Cut(projectiontest.Dump(t, store), "\n")
			position, _, _ = strings.Cut(position, "generation") // the log is another one
			all[b.Name] = position + "\n" + rest
			store.Close()
		}
	}
	return all
}

// A hub that is made of an export has the same events, with their leaves, and the same rows
// in every read model.
func TestReplayGivesTheSameAnswers(t *testing.T) {
	t.Parallel()
	h := exportedHub(t)
	file := filepath.Join(t.TempDir(), "all.jsonl")
	before := h.mustRun(t, "events", "export", "--to", file)
	list := readEvents(t, file)
	if !strings.Contains(before, fmt.Sprintf("Exported %d events", len(list))) || len(list) < 10 {
		t.Errorf("%d events: %s", len(list), before)
	}
	h.Stop()
	again := &hubProcess{}
	*again = *h
	again.Data = filepath.Join(t.TempDir(), "again")
	again.mustRun(t, "events", "replay", file)
	if _, stderr, code := again.Run("events", "replay", file); code == 0 || !strings.Contains(stderr, "empty") {
		t.Errorf("replayed over what is there: %d %s", code, stderr)
	}
	again.Start()
	again.Stop()
	want, got := rows(t, h.Data), rows(t, again.Data)
	if len(want) < 6 || len(want) != len(got) {
		t.Fatalf("%d read models, %d", len(want), len(got))
	}
	for name, text := range want {
		projectiontest.Same(t, name, text, got[name])
	}
}

// A filtered export is not replayed, and nothing is left behind.
func TestReplayWantsAll(t *testing.T) {
	t.Parallel()
	h := exportedHub(t)
	file := filepath.Join(t.TempDir(), "some.jsonl")
	h.mustRun(t, "events", "export", "--to", file, "type:image.*")
	for _, e := range readEvents(t, file) {
		if !strings.HasPrefix(e.Type(), "image.") {
			t.Errorf("the filter lets %s pass", e.Type())
		}
	}
	made := *h
	made.Data = filepath.Join(t.TempDir(), "made")
	if stdout, stderr, code := made.Run("events", "replay", file); code == 0 || !strings.Contains(stderr, "event 1 is not in the file") {
		t.Errorf("%d %s%s", code, stdout, stderr)
	}
	if list, err := os.ReadDir(made.Data); err == nil && len(list) > 1 || len(list) == 1 && list[0].Name() != "lock" {
		t.Errorf("it leaves %v", list)
	}
}

// What people get as CSV has no formula, and JSON Lines has what the list has.
func TestExportFormats(t *testing.T) {
	t.Parallel()
	h := exportedHub(t)
	lines := h.mustRun(t, "events", "export", "--to", "-", "--format", "csv")
	table, err := csv.NewReader(strings.NewReader(lines)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range table {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("%q", cell)
			}
		}
		if len(row) > 4 && strings.Contains(row[4], "acme/app") {
			found++
		}
	}
	if found == 0 || len(table) < 11 || table[0][0] != "seq" || table[1][0] != "1" {
		t.Errorf("%d rows name acme/app:\n%s", found, lines)
	}
	n := 0
	for line := range strings.Lines(h.mustRun(t, "events", "export", "--to", "-", "--format", "jsonl", "repo:admin/app")) {
		var e struct {
			Seq  uint64
			Text string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq == 0 || e.Text == "" {
			t.Errorf("%s: %v", line, err)
		}
		n++
	}
	if n < 5 {
		t.Errorf("%d events of admin/app", n)
	}
}

// An export goes on where the last one has ended: a file has each event once, whatever was
// written behind the cursor, and a receiver that fails gets each at least once.
func TestExportResumes(t *testing.T) {
	t.Parallel()
	h := exportedHub(t)
	dir := t.TempDir()
	file, cursor := filepath.Join(dir, "all.jsonl"), filepath.Join(dir, "cursor")
	h.mustRun(t, "events", "export", "--to", file, "--cursor", cursor)
	first := len(readEvents(t, file))
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(`{"half`) // as an export that was killed leaves it
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.mustRun(t, "repos", "create", "admin/later")
	h.mustRun(t, "events", "export", "--to", file, "--cursor", cursor)
	list := readEvents(t, file)
	for k, e := range list {
		if e.Seq != uint64(k+1) {
			t.Fatalf("event %d is at %d", e.Seq, k)
		}
	}
	if len(list) <= first {
		t.Errorf("%d events, then %d", first, len(list))
	}
	if _, stderr, code := h.Run("events", "export", "--to", file, "--cursor", cursor, "actor:admin"); code == 0 || !strings.Contains(stderr, "another export") {
		t.Errorf("with another filter: %d %s", code, stderr)
	}
	if _, stderr, code := h.Run("events", "export", "--to", file); code == 0 || !strings.Contains(stderr, "is there already") {
		t.Errorf("over a file: %d %s", code, stderr)
	}

	var mu sync.Mutex
	var got []uint64
	fail := 5
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		text, _ := io.ReadAll(r.Body)
		e, err := cloudevent.Parse(text)
		if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), cloudevent.MediaType) || r.Header.Get("Authorization") != "Bearer a token" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if got = append(got, e.Seq); len(got) == fail {
			w.WriteHeader(http.StatusForbidden) // but it has kept it
		}
	}))
	defer receiver.Close()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("a token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := []string{"events", "export", "--to", receiver.URL, "--token-file", token, "--cursor", filepath.Join(dir, "receiver.cursor"), "--rate", "1000"}
	if _, stderr, code := h.Run(to...); code == 0 || !strings.Contains(stderr, "goes on behind event 4") {
		t.Errorf("a receiver that fails: %d %s", code, stderr)
	}
	h.mustRun(t, to...)
	seen := map[uint64]int{}
	for _, seq := range got {
		seen[seq]++
	}
	for _, e := range list {
		if seen[e.Seq] == 0 || seen[e.Seq] > 1 && e.Seq != 5 {
			t.Errorf("event %d came %d times", e.Seq, seen[e.Seq])
		}
	}
}
