package sources_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
)

// The hook of plain git in docs/sources.md does what the page says: git runs it on a
// push, and the hub hears of each ref.
func TestPostReceiveHook(t *testing.T) {
	page, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh\n(#!/bin/sh\n.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("the page has no script")
	}
	for _, tool := range []string{"curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("HUBLEDGER_REQUIRE") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	w := gitremotetest.New(t, "sha1")
	h := newHub(t, server.Config{})
	source := h.link(apitypes.LinkSourceRequest{URL: w.ServeHTTP(true).URL + "/app.git", Host: events.HostGit})
	script := string(block[1])
	for name, value := range map[string]string{"url": source.WebhookURL, "secret": source.HookSecret} {
		line := regexp.MustCompile(`(?m)^` + name + `=.*$`)
		if n := len(line.FindAllString(script, -1)); n != 1 {
			t.Fatalf("the script sets %s %d times", name, n)
		}
		script = line.ReplaceAllLiteralString(script, name+"="+value)
	}
	if err := os.WriteFile(filepath.Join(w.Root, "app.git", "hooks", "post-receive"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	before := w.Git(w.Work, "rev-parse", "main")
	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "x")
	after := w.Git(w.Work, "rev-parse", "main")
	w.Git(w.Work, "tag", `v"1"`)
	w.Git(w.Work, "branch", "fön/😀")
	w.Push("main", "fön/😀", "refs/tags/*:refs/tags/*", ":refs/heads/feature/ünï")
	h.CatchUp()
	var list struct{ Items []apitypes.HookDelivery }
	h.ask("GET", "/sources/admin/app/deliveries", nil, 200, &list)
	if len(list.Items) != 1 {
		t.Fatalf("%d deliveries", len(list.Items))
	}
	var said []string
	for _, r := range list.Items[0].Refs {
		said = append(said, fmt.Sprint(r.Ref, " ", r.Old, "→", r.New))
	}
	slices.Sort(said)
	want := []string{"refs/heads/feature/ünï " + before + "→", "refs/heads/fön/😀 →" + after, "refs/heads/main " + before + "→" + after, `refs/tags/v"1" →` + after}
	if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("it says\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
