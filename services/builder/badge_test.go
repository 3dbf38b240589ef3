package builder_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// A badge says how the latest build ended that says something of the repository.
func TestBadge(t *testing.T) {
	s, ctx := servertest.Start(t, server.Config{}), t.Context()
	app, err := repository.Ensure(ctx, s.Log(), servertest.By, repository.Name{Namespace: "admin", Full: "admin/app"}, events.Public)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := repository.Ensure(ctx, s.Log(), servertest.By, repository.Name{Namespace: "admin", Full: "admin/hidden"}, events.Private)
	if err != nil {
		t.Fatal(err)
	}
	s.CatchUp()
	get := func(path string) (status int, kind, text string) {
		t.Helper()
		answer, err := http.Get(s.URL + path) // anonymous, as a site that shows it
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Header.Get("Content-Type"), string(content)
	}
	shows := func(text, hub string) {
		t.Helper()
		status, kind, svg := get("/api/v1/repositories/admin/app/badge.svg")
		if status != http.StatusOK || kind != "image/svg+xml; charset=utf-8" || !strings.Contains(svg, ">"+text+"<") || xml.Unmarshal([]byte(svg), new(struct{})) != nil {
			t.Errorf("want %s: %d %s %s", text, status, kind, svg)
		}
		_, _, answer := get("/api/build/v1/source?image=admin/app")
		var v struct {
			Objects []struct{ Image, State string }
		}
		if err := json.Unmarshal([]byte(answer), &v); err != nil || len(v.Objects) != 1 || v.Objects[0].Image != "admin/app" || v.Objects[0].State != hub {
			t.Errorf("want %s: %s, %v", hub, answer, err)
		}
	}
	n := 0
	ended := func(outcome string, test bool) {
		t.Helper()
		n++
		id := build[:len(build)-1] + string(rune('a'+n))
		if n > 5 {
			t.Fatal("too many builds")
		}
		for _, p := range []events.Payload{
			events.BuildQueued{Namespace: app.Namespace, Repository: app.Repository, Build: id, Source: app.Repository, Ref: "refs/heads/main", Kind: events.RefBranch, Commit: "c1",
				Rule: events.BuildRule{Name: "edge", Branch: "main", Tags: []string{"edge"}}, Tags: []string{"edge"}, Test: test},
			events.BuildFinished{Namespace: app.Namespace, Build: id, Outcome: outcome}} {
			if outcome == "" && p.EventType() == "build.finished.v1" {
				continue
			}
			s.Done(command.Append(ctx, s.Log(), servertest.By, p, events.AnySeq))
		}
	}
	shows("no builds", "Empty")
	ended("", false)
	shows("building", "Building")
	ended(events.BuildFailed, false)
	shows("failing", "Failed")
	ended(events.BuildSucceeded, false)
	ended(events.BuildCancelled, false)
	ended(events.BuildFailed, true)
	shows("passing", "Success")

	if status, _, _ := get("/api/v1/repositories/admin/hidden/badge.svg"); status != http.StatusNotFound {
		t.Errorf("the badge of a private repository: %d", status)
	}
	for _, image := range []string{"admin/hidden", "admin/none", "..%2F", ""} {
		if status, _, answer := get("/api/build/v1/source?image=" + image); status != http.StatusOK || strings.TrimSpace(answer) != `{"objects":[]}` {
			t.Errorf("%s (%s): %d %s", image, hidden.Repository, status, answer)
		}
	}
}
