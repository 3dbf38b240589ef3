package sources_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A webhook is a request of a git host.
type webhook struct {
	host, event, delivery string
	body                  string
	header                http.Header // beside those of the host
}

// push is the webhook of a push of main, as a kind of host sends it.
func push(host, delivery, before, after string) webhook {
	h := webhook{host: host, delivery: delivery, event: "push"}
	switch host {
	case events.HostGitLab:
		h.event = "Push Hook"
		h.body = fmt.Sprintf(`{"object_kind":"push","event_name":"push","ref":"refs/heads/main","before":%q,"after":%q,"checkout_sha":%[2]q,"project":{"git_http_url":"https://git.example.org/app.git"}}`, before, after)
	case events.HostBitbucket:
		h.event = "repo:push"
		h.body = fmt.Sprintf(`{"push":{"changes":[{"old":{"type":"branch","name":"main","target":{"hash":%q}},"new":{"type":"branch","name":"main","target":{"hash":%q}}}]},"repository":{}}`, before, after)
	case events.HostBitbucketServer:
		h.event = "repo:refs_changed"
		h.body = fmt.Sprintf(`{"eventKey":"repo:refs_changed","changes":[{"refId":"refs/heads/main","fromHash":%q,"toHash":%q,"type":"UPDATE"}]}`, before, after)
	default:
		h.body = fmt.Sprintf(`{"ref":"refs/heads/main","before":%q,"after":%q,"repository":{"clone_url":"https://git.example.org/app.git"}}`, before, after)
	}
	return h
}

// request makes the request, signed with a secret as the host signs.
func (h webhook) request(t testing.TB, to, secret string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", to, strings.NewReader(h.body))
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(h.body))
	sum := hex.EncodeToString(m.Sum(nil))
	set := func(pairs ...string) {
		for k := 0; k < len(pairs); k += 2 {
			if pairs[k+1] != "" {
				r.Header.Set(pairs[k], pairs[k+1])
			}
		}
	}
	set("Content-Type", "application/json")
	switch h.host {
	case events.HostGitLab:
		set("X-Gitlab-Event", h.event, "Idempotency-Key", h.delivery, "X-Gitlab-Token", secret)
	case events.HostBitbucket:
		set("X-Event-Key", h.event, "X-Request-UUID", h.delivery, "X-Hub-Signature", "sha256="+sum)
	case events.HostBitbucketServer:
		set("X-Event-Key", h.event, "X-Request-Id", h.delivery, "X-Hub-Signature", "sha256="+sum)
	case events.HostGitea: // sends GitHub's headers, too
		set("X-Gitea-Event", h.event, "X-Gitea-Delivery", h.delivery, "X-Gitea-Signature", sum,
			"X-GitHub-Event", h.event, "X-GitHub-Delivery", h.delivery, "X-Hub-Signature-256", "sha256="+sum)
	default:
		set("X-GitHub-Event", h.event, "X-GitHub-Delivery", h.delivery, "X-Hub-Signature-256", "sha256="+sum)
	}
	for name, values := range h.header {
		r.Header[name] = values
	}
	return r
}

// An answer is that to a webhook.
type answer struct {
	status int
	header http.Header
	body   []byte
	apitypes.HookAnswer
}

func do(t testing.TB, r *http.Request) (a answer) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	json.Unmarshal(a.body, &a.HookAnswer)
	return a
}

// send sends a webhook to a source.
func (h *hub) send(hook webhook, to apitypes.ChangedSource) answer {
	h.T.Helper()
	return do(h.T, hook.request(h.T, to.WebhookURL, to.HookSecret))
}

// events are the events behind a sequence that are of these types.
func (h *hub) events(behind uint64, prefix string) (list []*events.Event) {
	h.T.Helper()
	for seq := behind + 1; seq <= h.LastSeq(); seq++ {
		e, err := h.Log().Get(h.T.Context(), seq)
		if err != nil {
			h.T.Fatal(err)
		}
		if strings.HasPrefix(e.Type(), prefix) {
			list = append(list, e)
		}
	}
	return list
}

var allHosts = []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea, events.HostGit}

// A push of real git and the webhook of it, as each kind of host sends it: the webhook
// is in the log before it is answered, its body can be read, and what moved names it.
func TestWebhooksLeadToMoves(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	served := w.ServeHTTP(true)
	for _, host := range allHosts {
		t.Run(host, func(t *testing.T) {
			h := newHub(t, server.Config{})
			source := h.link(apitypes.LinkSourceRequest{URL: served.URL + "/app.git", Host: host})
			before := w.Git(w.Work, "rev-parse", "main")
			w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", host)
			after := w.Git(w.Work, "rev-parse", "main")
			w.Push("main")
			hook := push(host, "d-1", before, after)
			a := h.send(hook, source)
			received := h.events(0, "hook.received")
			if a.status != http.StatusOK || a.Verdict != "received" || len(received) != 1 || a.Seq != received[0].Seq {
				t.Fatalf("%d %s, %d events", a.status, a.body, len(received))
			}
			p, err := events.Decode(received[0])
			if err != nil {
				t.Fatal(err)
			}
			said := p.(events.HookReceived)
			if said.Digest != digest.FromString(hook.body).String() || said.Size != int64(len(hook.body)) || said.Delivery != "d-1" || len(said.Refs) != 1 ||
				said.Refs[0] != (events.HookRef{Ref: "refs/heads/main", Old: before, New: after}) || strings.Contains(string(received[0].Data), source.HookSecret) {
				t.Errorf("%s", received[0].Data)
			}
			heard := h.await(func(s apitypes.Source) bool { return s.Heard != nil && s.Sweep.Moved == 1 })
			moves := h.events(a.Seq, "ref.moved")
			if len(moves) != 1 || moves[0].Cause() != received[0].ID() || moves[0].Correlation() != received[0].ID() {
				t.Errorf("%d moves, %+v; heard %s", len(moves), moves, heard.Heard)
			}
			var shown apitypes.HookDelivery
			h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", a.Seq), nil, 200, &shown)
			if shown.Moved != 1 || len(shown.Moves) != 1 || shown.Moves[0] != (apitypes.HookMove{Ref: "refs/heads/main", Previous: before, Commit: after, Seq: moves[0].Seq}) || shown.Delivery != "d-1" {
				t.Errorf("%+v", shown)
			}
			var body string
			h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", a.Seq, "/body"), nil, 200, &body)
			if body != hook.body {
				t.Errorf("the body is %q", body)
			}
		})
	}
}

// Webhooks that come in another order than their pushes, or not at all, change nothing
// of what is recorded: where the refs are.
func TestHooksOutOfOrder(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	h := newHub(t, server.Config{})
	source := h.link(apitypes.LinkSourceRequest{URL: w.ServeHTTP(true).URL + "/app.git", Host: events.HostGitHub})
	ids := []string{w.Git(w.Work, "rev-parse", "main")}
	for k := range 3 {
		w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(k))
		ids = append(ids, w.Git(w.Work, "rev-parse", "main"))
	}
	w.Git(w.Work, "tag", "late")
	w.Push("main", "late")
	for _, k := range []int{3, 1} { // none says the second push, or the tag
		if a := h.send(push(events.HostGitHub, fmt.Sprint(k), ids[k-1], ids[k]), source); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		h.CatchUp()
		h.await(func(s apitypes.Source) bool { return s.Heard != nil && s.Sweep.At.After(*s.Heard) })
	}
	var got []string
	for _, m := range h.moves(source.Seq) {
		if !m.Initial {
			got = append(got, fmt.Sprintf("%s %s→%s", m.Ref, m.Old, m.New))
		}
	}
	want := []string{fmt.Sprintf("refs/heads/main %s→%s", ids[0], ids[3]), fmt.Sprintf("refs/tags/late →%s", ids[3])}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("recorded\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// idle is a hub with a source that a host without refs to move is behind.
func idle(t testing.TB, c server.Config, host string) (*hub, apitypes.ChangedSource) {
	t.Helper()
	h := newHub(t, c)
	source := h.link(apitypes.LinkSourceRequest{URL: gitremotetest.New(t, "sha1").ServeHTTP(true).URL + "/app.git", Host: host})
	h.CatchUp()
	return h, source
}

const (
	idA = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
	idB = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c"
)

func TestPing(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	a := h.send(webhook{event: "ping", delivery: "p", body: `{"zen":"x","hook_id":1}`}, source)
	if a.status != 200 || a.Verdict != "ping" {
		t.Errorf("%d %s", a.status, a.body)
	}
	before := h.await(func(s apitypes.Source) bool { return s.Heard != nil })
	h.CatchUp()
	if n := len(h.events(a.Seq, "")); n != 0 {
		t.Errorf("%d events came of it", n)
	}
	if before.Sweep.Waiting {
		t.Error("it leads to a sweep")
	}
}

// A delivery that comes again is said to, also at the same time, and is recorded as
// received once.
func TestRedelivery(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	hook := push(events.HostGitHub, "d-1", idA, idB)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if a := h.send(hook, source); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	h.CatchUp()
	received := h.events(0, "hook.received")
	if len(received) != 1 {
		t.Fatalf("%d were received", len(received))
	}
	hook.body = strings.Replace(hook.body, "main", "other", 1) // signed, with an id that was there
	a := h.send(hook, source)
	h.CatchUp()
	again := h.events(received[0].Seq, "hook.redelivered")
	if a.status != 200 || a.Verdict != "redelivered" || !strings.Contains(a.Text, fmt.Sprint("event ", received[0].Seq)) || len(again) == 0 || again[len(again)-1].Cause() != received[0].ID() {
		t.Errorf("%d %s, %d events", a.status, a.body, len(again))
	}
	var list struct{ Items []apitypes.HookDelivery }
	h.ask("GET", "/sources/admin/app/deliveries", nil, 200, &list)
	if len(list.Items) != 1 || list.Items[0].Redelivered != len(again) || list.Items[0].Refs[0].Ref != "refs/heads/main" {
		t.Errorf("%+v", list.Items)
	}
	// Other deliveries of the same, in any order, are received.
	for _, id := range []string{"d-3", "d-2"} {
		if a := h.send(push(events.HostGitHub, id, idB, idA), source); a.Verdict != "received" {
			t.Errorf("%s: %d %s", id, a.status, a.body)
		}
	}
}

// Without the host's id, a delivery is known by its body. It may be another one that
// says the same, so a sweep looks.
func TestRedeliveryWithoutAnID(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGit)
	hook := webhook{host: events.HostGit, body: `{}`}
	a := h.send(hook, source)
	if a.Verdict != "received" || a.Delivery != digest.FromString(`{}`).String() {
		t.Fatalf("%s", a.body)
	}
	h.CatchUp()
	first := h.await(func(s apitypes.Source) bool { return s.Heard != nil && s.Sweep.At.After(*s.Heard) })
	if a := h.send(hook, source); a.Verdict != "redelivered" {
		t.Fatalf("%s", a.body)
	}
	h.await(func(s apitypes.Source) bool { return s.Sweep.At.After(first.Sweep.At) })
}

// An unknown source, one that was unlinked, a wrong signature, one of another host, and
// none are answered alike, byte for byte, and counted once a period.
func TestRefusedHooks(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	var gone apitypes.ChangedSource
	h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: "gone", URL: source.URL, Host: events.HostGitHub}, 201, &gone)
	h.ask("DELETE", "/sources/admin/gone", nil, 200, nil)
	since := h.LastSeq()
	hook := push(events.HostGitHub, "d-1", idA, idB)
	unsigned := hook.request(t, source.WebhookURL, "x")
	unsigned.Header.Del("X-Hub-Signature-256")
	other := func(host string) *http.Request {
		return push(host, "d-1", idA, idB).request(t, source.WebhookURL, source.HookSecret)
	}
	base := strings.TrimSuffix(source.WebhookURL, source.WebhookURL[strings.LastIndex(source.WebhookURL, "/"):]) + "/"
	requests := map[string]*http.Request{
		"unlinked":        hook.request(t, gone.WebhookURL, gone.HookSecret),
		"unknown":         hook.request(t, base+"0199d6a5-3c00-7000-8000-000000000001", source.HookSecret),
		"no id":           hook.request(t, base+"app", source.HookSecret),
		"wrong":           hook.request(t, source.WebhookURL, "x"),
		"missing":         unsigned,
		"empty secret":    hook.request(t, source.WebhookURL, ""),
		"gitlab's":        other(events.HostGitLab),
		"bitbucket's":     other(events.HostBitbucket),
		"data center's":   other(events.HostBitbucketServer),
		"another's":       hook.request(t, source.WebhookURL, gone.HookSecret),
		"no JSON":         webhook{event: "push", body: "x"}.request(t, source.WebhookURL, "x"),
		"no JSON, nobody": webhook{event: "push", body: "x"}.request(t, base+"0199d6a5-3c00-7000-8000-000000000001", "x"),
	}
	show := func(a answer) string {
		a.header.Del("Date")
		return fmt.Sprint(a.status, a.header, string(a.body))
	}
	want := ""
	for name, r := range requests {
		a := do(t, r)
		if want == "" {
			want = show(a)
		}
		if got := show(a); a.status != http.StatusUnauthorized || got != want {
			t.Errorf("%s:\n%s\nbut another:\n%s", name, got, want)
		}
	}
	if n := len(h.events(since, "hook.")); n != 0 {
		t.Errorf("%d events are in the log at once", n)
	}
	var shown apitypes.Source
	h.ask("GET", "/sources/admin/app", nil, 200, &shown)
	const refused = 8
	if shown.Refused == nil || shown.Refused.Requests != refused || shown.Refused.Networks != 1 || shown.Heard != nil {
		t.Errorf("%+v", shown.Refused)
	}
	s, _ := h.Service("sources")
	for range 2 { // nothing is recorded the second time
		for _, job := range s.Jobs {
			if err := job.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.CatchUp()
	recorded := h.events(since, "hook.")
	if len(recorded) != 1 || recorded[0].Type() != "hook.refused.v1" {
		t.Fatalf("%d events", len(recorded))
	}
	p, _ := events.Decode(recorded[0])
	if e := p.(events.HookRefused); e.Requests != refused || e.Addresses != 1 || !e.Until.After(e.From) || e.Node == "" {
		t.Errorf("%+v", e)
	}
	shown.Refused = nil
	if h.ask("GET", "/sources/admin/app", nil, 200, &shown); shown.Refused == nil || shown.Refused.Requests != refused {
		t.Errorf("from the log: %+v", shown.Refused)
	}
}

// What cannot be read is refused with the reason, and leaves nothing behind.
func TestMalformedHooks(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	since := h.LastSeq()
	form := func(body string) webhook {
		return webhook{event: "push", body: body, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	}
	payload := "payload=" + url.QueryEscape(push(events.HostGitHub, "", idA, idB).body)
	for name, c := range map[string]struct {
		hook   webhook
		status int
		says   string
	}{
		"no body":        {webhook{event: "push"}, 400, "no body"},
		"cut off":        {webhook{event: "push", body: `{"ref":"refs/he`}, 400, "unexpected end of JSON"},
		"deep":           {webhook{event: "push", body: strings.Repeat("[", 1_000_000)}, 400, "no JSON"},
		"null character": {webhook{event: "push", body: `{"ref":"refs/heads/a\u0000"}`}, 400, "null character"},
		"twice":          {webhook{event: "push", body: `{"ref":"a","ref":"b"}`}, 400, "ref twice"},
		"no event":       {webhook{body: `{}`}, 400, "X-Github-Event"},
		"two payloads":   {form(payload + "&" + payload), 400, "payload 2 times"},
		"another type":   {webhook{event: "push", body: "{}", header: http.Header{"Content-Type": {"text/plain"}}}, 400, "text/plain"},
		"too large":      {webhook{event: "push", body: "{}" + strings.Repeat(" ", 25<<20-1)}, 413, "25 MiB"},
	} {
		a := h.send(c.hook, source)
		if a.status != c.status || !strings.Contains(string(a.body), c.says) || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := len(h.events(since, "")); n != 0 {
		t.Errorf("%d events are in the log", n)
	}
	if a := h.send(form(payload), source); a.status != 200 || a.Event != "push" {
		t.Errorf("a form: %d %s", a.status, a.body)
	}
}

// The largest webhook is received and can be read again; of one byte more, whose length
// is not announced, nothing stays.
func TestLargestHook(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	hook := push(events.HostGitHub, "d-1", idA, idB)
	hook.body += strings.Repeat(" ", 25<<20-len(hook.body))
	for _, announced := range []bool{true, false} {
		r := hook.request(t, source.WebhookURL, source.HookSecret)
		if r.Header.Set("X-GitHub-Delivery", fmt.Sprint(announced)); !announced {
			r.ContentLength = -1
		}
		a := do(t, r)
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		h.CatchUp()
		var body string
		h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", a.Seq, "/body"), nil, 200, &body)
		if body != hook.body {
			t.Errorf("%d bytes of the body are kept", len(body))
		}
	}
	hook.body += " "
	r := hook.request(t, source.WebhookURL, source.HookSecret)
	r.ContentLength = -1
	if a := do(t, r); a.status != 413 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A body that does not come to its end is given up in time, and one whose connection
// ends leaves nothing behind.
func TestSlowAndBrokenHooks(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	since := h.LastSeq()
	u, err := url.Parse(source.WebhookURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ref\":", u.Path, u.Host)
	conn.(*net.TCPConn).CloseWrite()
	answered, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answered, []byte("HTTP/1.1 400 ")) || !bytes.Contains(answered, []byte("could not be read to its end")) {
		t.Errorf("%s, %v", answered, err)
	}
	conn.Close()
	if n := len(h.events(since, "")); n != 0 {
		t.Errorf("%d events are in the log", n)
	}
}

// While the disk has less than its reserve, webhooks are refused so that hosts send
// them again; the same when the log is read-only.
func TestHooksWithoutSpace(t *testing.T) {
	c := server.Config{Data: t.TempDir(), SecretsKeyFile: t.TempDir() + "/key"}
	var source apitypes.ChangedSource
	t.Run("first start", func(t *testing.T) {
		h, linked := idle(t, c, events.HostGitHub)
		if a := h.send(push(events.HostGitHub, "d-1", idA, idB), linked); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		source = linked
	})
	path := source.WebhookURL[strings.Index(source.WebhookURL, "/hooks/"):]
	c.Reserve = 1 << 62
	h := &hub{Server: servertest.Start(t, c)}
	source.WebhookURL = h.URL + path
	since := h.LastSeq()
	a := h.send(push(events.HostGitHub, "d-2", idA, idB), source)
	if a.status != http.StatusInsufficientStorage || !strings.Contains(string(a.body), "the disk is full up to its reserve") || h.LastSeq() != since {
		t.Errorf("%d %s", a.status, a.body)
	}
	h.Log().SetReadOnly(fmt.Errorf("a test"))
	a = h.send(push(events.HostGitHub, "d-2", idA, idB), source)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A secret that was replaced is no longer good, and the new one is at once.
func TestNewHookSecret(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitLab)
	if !strings.HasPrefix(source.HookSecret, "whsec_") {
		t.Errorf("GitLab takes no signing token %q", source.HookSecret)
	}
	if a := h.send(push(events.HostGitLab, "d-1", idA, idB), source); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var changed apitypes.ChangedSource
	h.ask("PATCH", "/sources/admin/app", apitypes.ChangeSourceRequest{HookSecret: true}, 200, &changed)
	if a := h.send(push(events.HostGitLab, "d-2", idA, idB), source); a.status != 401 {
		t.Errorf("the old one: %d %s", a.status, a.body)
	}
	if a := h.send(push(events.HostGitLab, "d-2", idA, idB), changed); a.status != 200 {
		t.Errorf("the new one: %d %s", a.status, a.body)
	}
}

// Deliveries are listed in pages, the latest first; each can be asked for, and its
// source swept again because of it. Others' are not there.
func TestDeliveries(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	var seqs []uint64
	for k := range 5 {
		seqs = append(seqs, h.send(push(events.HostGitHub, fmt.Sprint("d-", k), idA, idB), source).Seq)
	}
	h.CatchUp()
	var got []uint64
	for next := "/sources/admin/app/deliveries?limit=2"; next != ""; {
		var list struct {
			Items []apitypes.HookDelivery
			Next  string
		}
		h.ask("GET", next, nil, 200, &list)
		for _, d := range list.Items {
			got = append([]uint64{d.Seq}, got...)
		}
		next = strings.TrimPrefix(list.Next, "/api/v1")
	}
	if fmt.Sprint(got) != fmt.Sprint(seqs) {
		t.Errorf("%d, want %d", got, seqs)
	}
	swept := h.await(func(s apitypes.Source) bool { return s.Sweep.At.After(*s.Heard) })
	h.ask("POST", fmt.Sprint("/sources/admin/app/deliveries/", seqs[1], "/redeliver"), nil, 202, nil)
	h.await(func(s apitypes.Source) bool { return s.Sweep.At.After(swept.Sweep.At) })
	var answered string
	for _, path := range []string{"", "/body"} {
		h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", source.Seq, path), nil, 404, &answered)
	}
	h.ask("POST", fmt.Sprint("/sources/admin/app/deliveries/", source.Seq, "/redeliver"), nil, 404, &answered)
	h.ask("GET", "/sources/admin/app/deliveries/0", nil, 422, &answered)
	var second apitypes.ChangedSource
	h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: "second", URL: source.URL}, 201, &second)
	h.ask("GET", fmt.Sprint("/sources/admin/second/deliveries/", seqs[0]), nil, 404, &answered)
}

// However many refs a webhook names, 100 of them are kept, and a list shows 5.
func TestManyRefs(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGit)
	var changes []string
	for k := range 120 {
		changes = append(changes, fmt.Sprintf(`{"ref":"refs/tags/v%d","after":"%s"}`, k, idA))
	}
	a := h.send(webhook{host: events.HostGit, body: `{"changes":[` + strings.Join(changes, ",") + `]}`}, source)
	h.CatchUp()
	var one apitypes.HookDelivery
	h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", a.Seq), nil, 200, &one)
	var list struct{ Items []apitypes.HookDelivery }
	h.ask("GET", "/sources/admin/app/deliveries", nil, 200, &list)
	if len(one.Refs) != 100 || one.More != 20 || one.Refs[99].Ref != "refs/tags/v99" || len(list.Items) != 1 || len(list.Items[0].Refs) != 5 || list.Items[0].More != 115 {
		t.Errorf("%d and %d more; in the list %+v", len(one.Refs), one.More, list.Items)
	}
}

// A redelivery that finds something moved names the webhook that it is of.
func TestRedeliverNamesItsCause(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	h := newHub(t, server.Config{})
	source := h.link(apitypes.LinkSourceRequest{URL: w.ServeHTTP(true).URL + "/app.git", Host: events.HostGitHub})
	first := h.send(push(events.HostGitHub, "d-1", idA, idB), source)
	h.send(push(events.HostGitHub, "d-2", idA, idB), source)
	h.CatchUp()
	time.Sleep(10 * time.Millisecond)
	h.await(func(s apitypes.Source) bool { return s.Heard != nil && s.Sweep.At.After(*s.Heard) })
	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "x")
	w.Push("main")
	h.ask("POST", fmt.Sprint("/sources/admin/app/deliveries/", first.Seq, "/redeliver"), nil, 202, nil)
	h.await(func(s apitypes.Source) bool { return s.Sweep.Moved == 1 })
	var shown apitypes.HookDelivery
	h.ask("GET", fmt.Sprint("/sources/admin/app/deliveries/", first.Seq), nil, 200, &shown)
	if shown.Moved != 1 || len(shown.Moves) != 1 || shown.Moves[0].Ref != "refs/heads/main" {
		t.Errorf("%+v", shown)
	}
}

// A body that was not kept at the first time is kept when its delivery comes again.
func TestRedeliveryKeepsTheBody(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	hook := push(events.HostGitHub, "d-1", idA, idB)
	id := source.WebhookURL[strings.LastIndex(source.WebhookURL, "/")+1:]
	for _, verdict := range []string{"received", "redelivered"} {
		if a := h.send(hook, source); a.status != 200 || a.Verdict != verdict {
			t.Fatalf("%+v", a)
		}
		if _, err := h.HookBodies().Get(t.Context(), id, digest.FromString(hook.body)); err != nil {
			t.Errorf("%s: %v", verdict, err)
		}
		if err := h.HookBodies().Purge(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

// The bodies of a source that was unlinked go with its secrets.
func TestUnlinkingRemovesBodies(t *testing.T) {
	h, source := idle(t, server.Config{}, events.HostGitHub)
	hook := push(events.HostGitHub, "d-1", idA, idB)
	if a := h.send(hook, source); a.status != 200 {
		t.Fatal(a.status)
	}
	id := source.WebhookURL[strings.LastIndex(source.WebhookURL, "/")+1:]
	get := func() error {
		_, err := h.HookBodies().Get(t.Context(), id, digest.FromString(hook.body))
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	h.ask("DELETE", "/sources/admin/app", nil, 200, nil)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if err := get(); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil || time.Now().After(end) {
			t.Fatalf("it stays: %v", err)
		}
	}
}
