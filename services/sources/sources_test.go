package sources_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
	src "hubledger/services/internal/source"
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
	h.ask("GET", "/sources/admin/app", nil, http.StatusOK, &before)
	h.ask("POST", "/sources/admin/app/sweep", nil, http.StatusAccepted, nil)
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

// The first sweep of a repository with many refs records each of them once, as there before;
// the next one records nothing. HUBLEDGER_SOAK makes them 10,000.
func TestManyRefsAtFirst(t *testing.T) {
	n := 300
	if os.Getenv("HUBLEDGER_SOAK") != "" {
		n = 10_000
	}
	w := gitremotetest.New(t, "sha1")
	commit := w.Git(w.Work, "rev-parse", "main")
	packed := "# pack-refs with: peeled fully-peeled sorted \n"
	for k := range n {
		packed += fmt.Sprintf("%s refs/tags/many-%05d\n", commit, k)
	}
	if err := os.WriteFile(filepath.Join(w.Root, "app.git", "packed-refs"), []byte(packed), 0o644); err != nil {
		t.Fatal(err)
	}
	host := w.ServeHTTP(true)
	h := newHub(t, server.Config{})
	since := h.LastSeq()
	h.link(apitypes.LinkSourceRequest{URL: host.URL + "/app.git"})
	seen := map[string]bool{}
	for _, m := range h.moves(since) {
		if seen[m.Ref] || !m.Initial {
			t.Fatalf("%+v, seen before: %t", m, seen[m.Ref])
		}
		seen[m.Ref] = true
	}
	if len(seen) < n {
		t.Errorf("%d refs were recorded, not %d", len(seen), n)
	}
	since = h.LastSeq()
	if s := h.sweep(); s.Sweep.Refs != len(seen) || h.LastSeq() != since {
		t.Errorf("the next sweep: %+v, %d events", s.Sweep, h.LastSeq()-since)
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

// A source over SSH gets a key of its own; the host's key is pinned, and another one
// is refused until somebody says that it is right.
func TestDeployKey(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	_, hostKey := gitremotetest.NewKey(t)
	_, evilKey := gitremotetest.NewKey(t)
	var allowed atomic.Value // the public key, as it is sent
	allowed.Store([]byte{})
	accepts := func(key ssh.PublicKey) bool { return bytes.Equal(key.Marshal(), allowed.Load().([]byte)) }
	h := newHub(t, server.Config{})
	linked := h.link(apitypes.LinkSourceRequest{URL: "ssh://git@" + w.ServeSSH(hostKey, accepts) + w.Root + "/app.git",
		Credentials: apitypes.GitCredentials{DeployKey: true}})
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(linked.DeployKey))
	if err != nil {
		t.Fatal(err)
	}
	if s := h.sweep(); !strings.Contains(s.Sweep.Error, "refuses the credentials") || s.HostKey != "" {
		t.Errorf("before the key is known at the host: %+v", s.Sweep)
	}
	allowed.Store(public.Marshal())
	pinned := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(hostKey.PublicKey())))
	if s := h.sweep(); s.Sweep.Error != "" || s.Sweep.Refs != 4 || s.HostKey != pinned {
		t.Errorf("pinned is %q, want %q; the sweep is %+v", s.HostKey, pinned, s.Sweep)
	}
	// The same host by name, with another key: its port differs here, so that the
	// pinned key comes with the change.
	url := "ssh://git@" + w.ServeSSH(evilKey, accepts) + w.Root + "/app.git"
	h.ask("PATCH", "/sources/admin/app", map[string]any{"url": url}, http.StatusUnprocessableEntity, nil)
	var moved apitypes.ChangedSource
	h.ask("PATCH", "/sources/admin/app", map[string]any{"url": url, "hostKey": pinned, "credentials": map[string]any{"deployKey": true}}, http.StatusOK, &moved)
	if moved.DeployKey == linked.DeployKey || moved.HookSecret != "" {
		t.Errorf("the key for another host is the old one, or a new hook secret is shown: %+v", moved)
	}
	if public, _, _, _, err = ssh.ParseAuthorizedKey([]byte(moved.DeployKey)); err != nil {
		t.Fatal(err)
	}
	allowed.Store(public.Marshal())
	if s := h.sweep(); !strings.Contains(s.Sweep.Error, "another key than before") || s.HostKey != pinned {
		t.Errorf("a host with another key: %+v", s.Sweep)
	}
	h.ask("PATCH", "/sources/admin/app", map[string]any{"hostKey": ""}, http.StatusOK, nil)
	if s := h.sweep(); s.Sweep.Error != "" || s.HostKey == pinned || s.HostKey == "" {
		t.Errorf("after the new key was called right: %q, %+v", s.HostKey, s.Sweep)
	}
}

// A host in the hub's own network is refused, whatever name or redirect leads there.
func TestOwnNetworkIsRefused(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	inside := w.ServeHTTP(true)
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	outside := httptest.NewServer(http.RedirectHandler(inside.URL+"/app.git/info/refs", http.StatusFound))
	defer outside.Close()
	guard, err := egress.NewGuard([]string{strings.TrimPrefix(outside.URL, "http://")}) // with its port
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t, server.Config{Egress: guard})
	for k, url := range []string{inside.URL + "/app.git", "http://localhost" + port + "/app.git", "http://[::ffff:127.0.0.1]" + port + "/app.git", outside.URL + "/app.git"} {
		if k == 0 {
			h.link(apitypes.LinkSourceRequest{URL: url})
		} else {
			h.ask("PATCH", "/sources/admin/app", map[string]any{"url": url}, http.StatusOK, nil)
		}
		if s := h.sweep(); !strings.Contains(s.Sweep.Error, "forbidden address") || s.Sweep.Refs != 0 {
			t.Errorf("%s: %+v", url, s.Sweep)
		}
	}
}

// A token is sent to the host that it was given for, and to no other; neither it nor
// the secret of webhooks is in any answer but the one that made it, or in the log.
func TestTokenStaysWithItsHost(t *testing.T) {
	h := newHub(t, server.Config{})
	const token = "gh-t0ken-of-acme"
	var linked apitypes.ChangedSource
	h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: "app", URL: "https://github.com.invalid/acme/app", Host: events.HostGitHub,
		Credentials: apitypes.GitCredentials{Token: token}}, http.StatusCreated, &linked)
	if linked.User != "x-access-token" || len(linked.HookSecret) != 64 {
		t.Errorf("linked as %+v", linked)
	}
	var text, all string
	for _, c := range []struct {
		body   map[string]any
		status int
	}{
		{map[string]any{}, http.StatusUnprocessableEntity},
		{map[string]any{"url": "https://evil.invalid/acme/app"}, http.StatusUnprocessableEntity},
		{map[string]any{"url": "http://github.com.invalid/acme/app"}, http.StatusUnprocessableEntity},
		{map[string]any{"url": "https://github.com.invalid/acme/other"}, http.StatusOK},
		{map[string]any{"url": "https://evil.invalid/acme/app", "credentials": map[string]any{}}, http.StatusOK},
		{map[string]any{"url": "https://github.com.invalid/acme/app"}, http.StatusOK},
		{map[string]any{"credentials": map[string]any{"token": token, "deployKey": true}}, http.StatusUnprocessableEntity},
	} {
		h.ask("PATCH", "/sources/admin/app", c.body, c.status, &text)
		all += text
	}
	var now apitypes.Source
	h.ask("GET", "/sources/admin/app", nil, http.StatusOK, &now)
	if now.Credentials != "" || now.User != "" {
		t.Errorf("the credentials came back: %+v", now)
	}
	h.ask("GET", "/namespaces/admin/sources", nil, http.StatusOK, &text)
	all += text
	for seq := uint64(1); seq <= h.LastSeq(); seq++ {
		e, err := h.Log().Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		all += string(e.Data)
	}
	if strings.Contains(all, token) || strings.Contains(all, linked.HookSecret) {
		t.Error("a secret is shown")
	}
}

// Names that are taken, missing sources and bad settings are answered, and leave
// nothing behind.
func TestBadRequests(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	h := newHub(t, server.Config{})
	good := apitypes.LinkSourceRequest{URL: w.ServeHTTP(true).URL + "/app.git"}
	h.link(good)
	since := h.LastSeq()
	for _, c := range []struct {
		method, path string
		body         map[string]any
		status       int
		says         string
	}{
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "app", "url": good.URL}, http.StatusConflict, "git source of that name"},
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "App", "url": good.URL}, http.StatusUnprocessableEntity, "lower-case"},
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "b", "url": "ftp://x/y"}, http.StatusUnprocessableEntity, "use https or ssh"},
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "b", "url": "https://u:p@x/y"}, http.StatusUnprocessableEntity, "credentials"},
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "b", "url": good.URL, "host": "svn"}, http.StatusUnprocessableEntity, "host"},
		{"POST", "/namespaces/admin/sources", map[string]any{"name": "b", "url": good.URL, "credentials": map[string]any{"token": "x"}}, http.StatusUnprocessableEntity, "https only"},
		{"POST", "/namespaces/nobody/sources", map[string]any{"name": "b", "url": good.URL}, http.StatusNotFound, ""},
		{"GET", "/sources/admin/none", nil, http.StatusNotFound, "no git source"},
		{"PATCH", "/sources/admin/none", map[string]any{"hookSecret": true}, http.StatusNotFound, "no git source"},
		{"DELETE", "/sources/admin/none", nil, http.StatusNotFound, "no git source"},
		{"POST", "/sources/admin/none/sweep", nil, http.StatusNotFound, "no git source"},
		{"GET", "/sources/admin/none/refs", nil, http.StatusNotFound, "no git source"},
		{"GET", "/sources/admin/app/refs?cursor=x", nil, http.StatusUnprocessableEntity, "cursor"},
	} {
		var answer string
		body := any(c.body)
		if c.body == nil {
			body = nil
		}
		h.ask(c.method, c.path, body, c.status, &answer)
		if !strings.Contains(answer, c.says) {
			t.Errorf("%s %s %v: %s, want %q", c.method, c.path, c.body, answer, c.says)
		}
	}
	if h.LastSeq() != since {
		t.Errorf("%d events were appended", h.LastSeq()-since)
	}
	h.ask("DELETE", "/sources/admin/app", nil, http.StatusOK, nil)
	h.ask("GET", "/sources/admin/app", nil, http.StatusNotFound, nil)
	h.link(good) // the name is free again
}

// A namespace has so many sources and no more.
func TestSourcesAreBounded(t *testing.T) {
	h := newHub(t, server.Config{})
	namespace := h.Account(servertest.Admin).ID
	for k := range src.MaxSources {
		id, err := command.NewID()
		if err != nil {
			t.Fatal(err)
		}
		_, err = src.Link(t.Context(), h.Log(), servertest.By, src.ID{Namespace: namespace, Source: id}, fmt.Sprint("admin/app", k), events.SourceSettings{URL: "http://127.0.0.1:1/x", Host: events.HostGit, HookSecret: id})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.CatchUp()
	var answer string
	h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: "more", URL: "http://127.0.0.1:1/x"}, http.StatusForbidden, &answer)
	if !strings.Contains(answer, "at most 200 git sources") {
		t.Errorf("refused with %s", answer)
	}
	h.ask("DELETE", "/sources/admin/app1", nil, http.StatusOK, nil)
	h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: "more", URL: "http://127.0.0.1:1/x"}, http.StatusCreated, nil)
}
