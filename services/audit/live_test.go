package audit_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
)

// A stream is an answer of server-sent events that is being read.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
}

func (h *hub) follow(t *testing.T, as, query string, header ...string) *stream {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	answer := h.request(ctx, as, "/api/v1/events/live?q="+url.QueryEscape(query), header...)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", answer.StatusCode, answer.Header)
	}
	s := &stream{t, bufio.NewScanner(answer.Body), stop}
	s.lines.Scan() // the first is sent at once: from now on it follows
	return s
}

// next is the next event.
func (s *stream) next() (e apitypes.Event) {
	s.t.Helper()
	id := ""
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "data":
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				s.t.Fatal(err)
			}
			if id != fmt.Sprint(e.Seq) {
				s.t.Errorf("event %d has the id %q", e.Seq, id)
			}
			return e
		}
	}
	s.t.Fatalf("the stream has ended: %v", s.lines.Err())
	return e
}

// Events are sent as they come to those who may read them, and a client that comes back
// has each one once.
func TestFollow(t *testing.T) {
	h := newHub(t)
	push := func(name, tag string) { h.Client().MustPush(t, name, tag, registrytest.NewImage(name, tag)) }
	writer, stranger := h.follow(t, "writer", "type:image."), h.follow(t, "stranger", "")
	push("acme/private", "2.0")
	first := writer.next()
	if !strings.HasPrefix(first.Text, "pushed acme/private:2.0 (sha256:") || first.Actor != "admin" {
		t.Errorf("the first is %+v", first)
	}
	writer.stop()
	push("acme/private", "2.1")
	push("acme/public", "2.2")
	// The private ones came before it.
	if e := stranger.next(); !strings.HasPrefix(e.Text, "pushed acme/public:2.2") {
		t.Errorf("a stranger is told: %s %s", e.Actor, e.Text)
	}
	again := h.follow(t, "writer", "type:image.", "Last-Event-ID", fmt.Sprint(first.Seq))
	for _, want := range []string{"pushed acme/private:2.1", "pushed acme/public:2.2"} {
		if e := again.next(); !strings.HasPrefix(e.Text, want) {
			t.Errorf("%s, want %s", e.Text, want)
		}
	}
}

// Rights that end while somebody follows end what is sent.
func TestFollowWithoutRights(t *testing.T) {
	h := newHub(t)
	reader := h.follow(t, "reader", "type:image.")
	h.withdraw("reader", "acme/private")
	h.Client().MustPush(t, "acme/private", "3.0", registrytest.NewImage("private"))
	h.Client().MustPush(t, "acme/public", "3.0", registrytest.NewImage("public"))
	if e := reader.next(); !strings.HasPrefix(e.Text, "pushed acme/public") {
		t.Errorf("without the grant: %s", e.Text)
	}
}

// One account has so many streams, and another one still has its own.
func TestFollowersAreBounded(t *testing.T) {
	h := newHub(t)
	var open []*stream
	for range 10 {
		open = append(open, h.follow(t, "reader", ""))
	}
	if status, body := h.get("reader", "/api/v1/events/live", nil); status != http.StatusTooManyRequests {
		t.Errorf("one more: %d %s", status, body)
	}
	h.follow(t, "writer", "")
	open[0].stop()
	for { // until the hub has noticed
		answer := h.request(t.Context(), "reader", "/api/v1/events/live")
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			break
		}
	}
}

// What is wrong with a filter is said with its place, on every operation.
func TestFiltersAreChecked(t *testing.T) {
	h := newHub(t)
	for _, path := range []string{"/api/v1/events", "/api/v1/events/live"} {
		status, body := h.get("reader", path+"?q=actor:alice+colour:red", nil)
		if status != 422 || !strings.Contains(body, "query.q") || !strings.Contains(body, "at character 13") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// An event is shown with its data, what led to it and what it led to.
func TestOneEvent(t *testing.T) {
	h := newHub(t)
	pushed := h.all("reader", "repo:acme/private type:image.pushed")[0]
	for _, ref := range []string{fmt.Sprint(pushed.Seq), pushed.ID} {
		var full apitypes.FullEvent
		if status, body := h.get("reader", "/api/v1/events/"+ref, &full); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		var data struct{ Tag, Digest string }
		if err := json.Unmarshal(full.Data, &data); err != nil || data.Tag != "1.0" || full.Seq != pushed.Seq || len(full.Leaf) != 64 || full.Headers["ce-actor"] != "admin" {
			t.Errorf("%+v, %v", full, err)
		}
		parts := map[string]string{}
		for _, p := range full.Parts {
			parts[p.Kind] = p.Name
		}
		if parts["tag"] != "acme/private:1.0" || parts["image"] != "acme/private@"+data.Digest {
			t.Errorf("the sentence refers to %v", parts)
		}
	}
	for _, ref := range []string{"0", "99999", "x", "0191d1a0-0000-7000-8000-000000000001", "-1", "%2e"} {
		if status, _ := h.get("admin", "/api/v1/events/"+ref, nil); status != 404 {
			t.Errorf("the event %s: %d", ref, status)
		}
	}
}

// What came of an event is found in its chain.
func TestCauses(t *testing.T) {
	h := newHub(t)
	first := h.all("admin", "type:image.pushed")[0]
	repo, err := h.Accounts().Repository(t.Context(), "acme/private")
	if err != nil {
		t.Fatal(err)
	}
	cause := first.ID
	for range 3 { // each led to by the one before, and the first also to another one
		for _, from := range []string{cause, first.ID} {
			by := command.By{Source: "/test", Actor: "tester", Cause: from, Correlation: first.Correlation}
			h.Done(command.Append(t.Context(), h.Log(), by, events.StarGiven{Namespace: repo.Namespace, Repository: repo.ID, User: h.Account("reader").ID}, events.AnySeq))
		}
		cause = h.all("admin", "type:star.given")[0].ID
	}
	all := h.all("admin", "")
	led := map[string][]uint64{}
	for _, e := range all {
		if e.Cause != "" {
			led[e.Cause] = append([]uint64{e.Seq}, led[e.Cause]...)
		}
	}
	if len(led[first.ID]) < 3 || len(led) < 2 {
		t.Fatalf("the hub has too few causes: %v", led)
	}
	for _, e := range all {
		var full apitypes.FullEvent
		h.get("admin", fmt.Sprintf("/api/v1/events/%d", e.Seq), &full)
		if got := fmt.Sprint(seqsOf(full.LedTo)); got != fmt.Sprint(led[e.ID]) {
			t.Errorf("event %d led to %s, want %v", e.Seq, got, led[e.ID])
		}
		if (full.CausedBy != nil) != (e.Cause != "") || full.CausedBy != nil && full.CausedBy.ID != e.Cause {
			t.Errorf("event %d: %+v, want %s", e.Seq, full.CausedBy, e.Cause)
		}
	}
}
