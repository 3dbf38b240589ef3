package builder_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/streams"
)

const build = "0191d1a0-0000-7000-8000-000000000020"

// ask reads an answer of the API as the administrator.
func ask(t *testing.T, s *servertest.Server, path string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/repositories/admin/app/builds/"+build+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(servertest.Admin, servertest.Password)
	for k := 0; k < len(header); k += 2 {
		r.Header.Set(header[k], header[k+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// next is the next server-sent event as "id kind data"; "" at the end.
func next(t *testing.T, in *bufio.Scanner) string {
	t.Helper()
	var e struct{ id, kind, data string }
	for in.Scan() {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if e.kind != "" {
				return e.id + " " + e.kind + " " + e.data
			}
		}
	}
	return ""
}

// A build is followed from its queue to its end, from any place, and its log is
// downloaded byte for byte.
func TestFollow(t *testing.T) {
	s, ctx := servertest.Start(t, server.Config{}), t.Context()
	app, err := repository.Ensure(ctx, s.Log(), servertest.By, repository.Name{Namespace: "admin", Full: "admin/app"}, events.Private)
	if err != nil {
		t.Fatal(err)
	}
	record := func(p events.Payload) {
		t.Helper()
		s.Done(command.Append(ctx, s.Log(), servertest.By, p, events.AnySeq))
	}
	kept, err := streams.OpenBuildLog(ctx, s.Log())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := kept.Append(ctx, build, 1, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	record(events.BuildQueued{Namespace: app.Namespace, Repository: app.Repository, Build: build, Source: app.Repository, Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1",
		Rule: events.BuildRule{Name: "edge", Branch: "main", Tags: []string{"edge"}}, Tags: []string{"edge"}})
	live := ask(t, s, "/log/live")
	if live.StatusCode != http.StatusOK || live.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d, %v", live.StatusCode, live.Header)
	}
	in := bufio.NewScanner(live.Body)
	if e := next(t, in); !strings.HasPrefix(e, " build ") || !strings.Contains(e, `"state":"waiting"`) || !strings.Contains(e, `"position":1`) {
		t.Fatalf("first came %s", e)
	}
	write("one\n")
	if e := next(t, in); !strings.HasPrefix(e, "1 log ") || !strings.Contains(e, `"text":"one\n"`) {
		t.Fatalf("then came %s", e)
	}
	record(events.BuildClaimed{Namespace: app.Namespace, Build: build, Builder: "far", Epoch: 1})
	if e := next(t, in); !strings.Contains(e, `"state":"running"`) {
		t.Fatalf("then came %s", e)
	}
	write("two \xff\n")
	if e := next(t, in); !strings.HasPrefix(e, "2 log ") || !strings.Contains(e, `"text":"two \ufffd\n"`) && !strings.Contains(e, "two \uFFFD") {
		t.Fatalf("then came %s", e)
	}
	write("three\n")
	record(events.BuildFinished{Namespace: app.Namespace, Build: build, Epoch: 1, Outcome: events.BuildFailed, Reason: "network", Detail: "it was cut"})
	if e := next(t, in); !strings.HasPrefix(e, "3 log ") {
		t.Fatalf("then came %s", e)
	}
	if e := next(t, in); !strings.HasPrefix(e, " end ") || !strings.Contains(e, `"outcome":"failed"`) {
		t.Fatalf("then came %s", e)
	}
	if e := next(t, in); e != "" {
		t.Fatalf("behind the end came %s", e)
	}
	in = bufio.NewScanner(ask(t, s, "/log/live", "Last-Event-ID", "2").Body)
	if e := next(t, in); !strings.HasPrefix(e, "3 log ") {
		t.Errorf("who comes back gets %s", e)
	}
	raw := ask(t, s, "/log/raw")
	if text, err := io.ReadAll(raw.Body); err != nil || string(text) != "one\ntwo \xff\nthree\n" || !strings.Contains(raw.Header.Get("Content-Disposition"), "build-00000020.log") {
		t.Errorf("downloaded %q, %v, %v", text, raw.Header, err)
	}
	var piece apitypes.BuildLog
	if err := json.NewDecoder(ask(t, s, "/log?after=2").Body).Decode(&piece); err != nil || len(piece.Chunks) != 1 || piece.Next != 3 || !piece.Ended {
		t.Errorf("behind 2 there is %+v, %v", piece, err)
	}
	for path, want := range map[string]int{"/log/live?x=1": 422, "/log/raw/more": 404} {
		if got := ask(t, s, path).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if got := fmt.Sprint(ask(t, s, "/log/live", "Last-Event-ID", "x").StatusCode); got != "422" {
		t.Errorf("a Last-Event-ID that is no number: %s", got)
	}
}
