package sources_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A hub is a whole hub that may reach git hosts on this machine.
type hub struct {
	*servertest.Server
	token string // of its administrator
}

func newHub(t testing.TB, c server.Config) *hub {
	t.Helper()
	guard, err := egress.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Egress == nil {
		c.Egress = guard
	}
	h := &hub{Server: servertest.Start(t, c)}
	h.token = h.Token(servertest.Admin, events.LevelAdmin)
	return h
}

// ask sends a request to the API and reads the answer into out, if it has the status.
func (h *hub) ask(method, path string, body any, status int, out any) {
	h.T.Helper()
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(h.T.Context(), method, h.URL+"/api/v1"+path, bytes.NewReader(raw))
	if err != nil {
		h.T.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.T.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	if resp.StatusCode != status {
		h.T.Fatalf("%s %s: %s\n%s", method, path, resp.Status, answer)
	}
	if out == nil {
		return
	}
	if text, ok := out.(*string); ok {
		*text = string(answer)
	} else if err := json.Unmarshal(answer, out); err != nil {
		h.T.Fatalf("%s %s: %v\n%s", method, path, err, answer)
	}
}

// link links admin/app, and waits for its first sweep.
func (h *hub) link(want apitypes.LinkSourceRequest) (linked apitypes.ChangedSource) {
	h.T.Helper()
	want.Name = "app"
	h.ask("POST", "/namespaces/admin/sources", want, http.StatusCreated, &linked)
	h.await(func(s apitypes.Source) bool { return s.Sweep != nil })
	return linked
}

// await waits until the source is as wanted.
func (h *hub) await(wanted func(apitypes.Source) bool) (s apitypes.Source) {
	h.T.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s = apitypes.Source{}
		h.ask("GET", "/sources/admin/app", nil, http.StatusOK, &s)
		if wanted(s) {
			return s
		}
		if time.Now().After(end) {
			h.T.Fatalf("the source stays %+v, its sweep %+v", s, s.Sweep)
		}
	}
}

// sweep asks for a sweep and waits for its end.
func (h *hub) sweep() apitypes.Source {
	h.T.Helper()
	var before apitypes.Source
	h.ask("POST", "/sources/admin/app/sweep", nil, http.StatusAccepted, &before)
	return h.await(func(s apitypes.Source) bool {
		return s.Sweep != nil && !s.Sweep.Waiting && s.Sweep.At.After(before.Sweep.At)
	})
}

// refs are the refs of the source, one a line: name, commit, commit before.
func (h *hub) refs(commits map[string]string) string {
	h.T.Helper()
	var list struct{ Items []apitypes.GitRef }
	h.ask("GET", "/sources/admin/app/refs?limit=100", nil, http.StatusOK, &list)
	named := func(id string) string {
		for name, commit := range commits {
			if commit == id {
				return name
			}
		}
		return id
	}
	var lines []string
	for _, r := range list.Items {
		line := strings.TrimSpace(fmt.Sprintf("%s %s<%s", r.Ref, named(r.Commit), named(r.Previous)))
		if r.Annotated != "" {
			line += " annotated"
		}
		if r.Initial {
			line += " initial"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// moves are the events of refs behind a sequence.
func (h *hub) moves(behind uint64) (list []events.RefMoved) {
	h.T.Helper()
	h.CatchUp()
	for seq := behind + 1; seq <= h.LastSeq(); seq++ {
		e, err := h.Log().Get(h.T.Context(), seq)
		if err != nil {
			h.T.Fatal(err)
		}
		if p, err := events.Decode(e); err != nil {
			h.T.Fatal(err)
		} else if m, ok := p.(events.RefMoved); ok {
			list = append(list, m)
		}
	}
	return list
}

// What is pushed with git is seen: new, moved, forced and deleted branches and tags,
// however many at once, each once.
func TestRefsAreSeen(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	host := w.ServeHTTP(true)
	h := newHub(t, server.Config{})
	first := w.Git(w.Work, "rev-parse", "main")
	linked := h.link(apitypes.LinkSourceRequest{URL: host.URL + "/app.git"})
	if linked.Host != events.HostGit || linked.HookSecret == "" || linked.Name != "admin/app" {
		t.Errorf("linked as %+v", linked)
	}
	names := map[string]string{"first": first}
	if got, want := sorted(h.refs(names)), "refs/heads/feature/ünï first< initial\nrefs/heads/main first< initial\nrefs/tags/light first< initial\nrefs/tags/v1.0 first< annotated initial"; got != want {
		t.Fatalf("after linking:\n%s\nwant:\n%s", got, want)
	}
	since := h.LastSeq()
	if s := h.sweep(); s.Sweep.Refs != 4 || s.Sweep.Moved != 0 || h.LastSeq() != since {
		t.Errorf("a sweep without a change: %+v, %d events", s.Sweep, h.LastSeq()-since)
	}

	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "second")
	names["second"] = w.Git(w.Work, "rev-parse", "main")
	w.Git(w.Work, "tag", "-a", "-m", "x", "v1.1")
	for k := range 5 {
		w.Git(w.Work, "tag", fmt.Sprint("many-", k))
	}
	w.Push("main", "--tags")
	if s := h.sweep(); s.Sweep.Moved != 7 {
		t.Errorf("after a push of a branch and six tags: %+v", s.Sweep)
	}
	w.Git(w.Work, "reset", "-q", "--hard", "HEAD~1")
	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "forced")
	names["forced"] = w.Git(w.Work, "rev-parse", "main")
	w.Git(w.Work, "tag", "-f", "light")
	w.Push("-f", "main", "refs/tags/light", ":refs/heads/feature/ünï")
	h.sweep()
	for _, want := range []string{"refs/heads/main forced<second", "refs/tags/light forced<first", "refs/heads/feature/ünï <first", "refs/tags/v1.1 second< annotated",
		"refs/tags/v1.0 first< annotated initial"} {
		if got := h.refs(names); !strings.Contains("\n"+got+"\n", "\n"+want+"\n") {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if n := len(h.moves(since)); n != 10 {
		t.Errorf("%d moves were recorded, not 10", n)
	}
	for _, m := range h.moves(since) {
		if m.Initial {
			t.Errorf("%+v is taken for one of the first sweep", m)
		}
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		for k := range i {
			if lines[k] > lines[i] {
				lines[k], lines[i] = lines[i], lines[k]
			}
		}
	}
	return strings.Join(lines, "\n")
}
