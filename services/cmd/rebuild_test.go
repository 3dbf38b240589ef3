package cmd

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// When the tag of a base image moves, what was made from it is made again from the new
// one, without a push to its branch, and its event's cause is that of the tag.
func TestRebuildOnBase(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("builds several images: set HUBLEDGER_SOAK=1")
	}
	h := startGitHub(t)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	text := "version: 1\nrules:\n  - name: base\n    tag: /^base/\n    tags: [base]\n    dockerfile: base.Dockerfile\n" +
		"  - name: edge\n    branch: main\n    tags: [edge]\n    rebuild: base\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run("rules", "set", "admin/app", rules, "--source", "admin/app")
	tag := func(name, content string) {
		h.git.Git(h.git.Work, "checkout", "-q", "-b", "branch-"+name)
		for file, text := range map[string]string{"base.Dockerfile": "FROM scratch\nCOPY content /content\n", "content": content, "Dockerfile": "FROM " + h.Addr + "/admin/app:base\nCOPY content /mine\n"} {
			if err := os.WriteFile(filepath.Join(h.git.Work, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		h.git.Git(h.git.Work, "add", ".")
		h.git.Git(h.git.Work, "commit", "-q", "-m", name)
		h.git.Git(h.git.Work, "tag", name)
		h.git.Push(name)
		h.run("sources", "sweep", "admin/app")
	}
	tag("base-1", "one")
	first := h.ended(1)["base"]
	h.git.Git(h.git.Work, "branch", "-f", "main", "HEAD")
	h.git.Push("main")
	h.run("sources", "sweep", "admin/app")
	edge := h.ended(2)["edge"]
	if first.Outcome != "succeeded" || edge.Outcome != "succeeded" {
		t.Fatalf("built were %+v and %+v\n%s", first, edge, h.run("builds", "logs", "admin/app"))
	}
	tag("base-2", "two")
	second := h.ended(3)["base"]
	again := h.ended(4)["edge"]
	if r := again.Rebuild; again.Outcome != "succeeded" || r == nil || r.Was != first.Digest || r.Now != second.Digest || again.RetryOf != edge.ID || again.Commit != edge.Commit || again.Digest == edge.Digest {
		t.Errorf("it was made again as %+v because of %+v", again, r)
	}
	time.Sleep(2 * time.Second)
	if n := len(h.builds()); n != 4 {
		t.Errorf("there are %d builds", n)
	}
}
