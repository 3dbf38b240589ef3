package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
)

// peek is a program that says what a step of a build can see.
const peek = `package main

import (
	"fmt"
	"os"
)

func main() {
	secret, err := os.ReadFile("/run/secrets/TOKEN")
	fmt.Printf("it sees arg %s, secret of %d bytes (%t), user of the registry %q\n", os.Getenv("PLANTED"), len(secret), err == nil, os.Getenv("DOCKER_CONFIG"))
}
`

// A pull request is built and tested, and nothing is pushed. One from a fork gets no
// secret and no build arg, also when its Dockerfile asks for them.
func TestPullRequestsAreTested(t *testing.T) {
	h := startGitHub(t)
	program := filepath.Join(t.TempDir(), "peek")
	build := exec.Command("go", "build", "-o", program, writeFile(t, filepath.Join(t.TempDir(), "main.go"), peek))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	h.run("rules", "secrets", "set", "admin/app", "TOKEN", "--from-file", writeFile(t, filepath.Join(t.TempDir(), "token"), "planted-value"))
	h.run("rules", "set", "admin/app", writeFile(t, filepath.Join(t.TempDir(), "rules.yml"),
		"version: 1\nrules:\n  - {name: edge, branch: main, tags: [edge], autotest: all, args: {PLANTED: planted-arg}, secrets: [TOKEN]}\n"))
	h.run("sources", "sweep", "admin/app")
	open := func(number, message string, refs ...string) {
		t.Helper()
		h.files(map[string]string{"peek": string(binary), "Dockerfile": "FROM scratch\nARG PLANTED=none\nCOPY peek /peek\nRUN --mount=type=secret,id=TOKEN [\"/peek\"]\n"})
		h.git.Git(h.git.Work, "add", ".")
		h.git.Git(h.git.Work, "commit", "-q", "--allow-empty", "-m", message)
		h.git.Push(append(refs, "HEAD:refs/pull/"+number+"/head")...)
		h.run("sources", "sweep", "admin/app")
	}
	open("5", "of a fork")
	open("6", "of a branch", "HEAD:refs/heads/topic")
	h.ended(2)
	seen := map[int]bool{}
	for _, b := range h.builds() {
		p := b.PullRequest
		if p == nil || !b.Test || b.Outcome != "succeeded" || b.Digest != "" || len(b.Set)+len(b.Tags) > 0 || p.Target != "refs/heads/main" || !p.Assumed {
			t.Fatalf("%+v of %+v\n%s", b, p, h.run("builds", "logs", "admin/app", b.ID))
		}
		seen[p.Number] = true
		from, want := "own", "it sees arg planted-arg, secret of 13 bytes (true)"
		if p.Number == 5 {
			from, want = "fork", "it sees arg none, secret of 0 bytes (false)"
		}
		if log := h.run("builds", "logs", "admin/app", b.ID); p.From != from || !strings.Contains(log, want) {
			t.Errorf("pull request %d, %s:\n%s", p.Number, p.From, log)
		}
	}
	if len(seen) != 2 || !seen[5] || !seen[6] {
		t.Errorf("tested were %v", seen)
	}
	c := registrytest.NewClient(h.URL)
	c.User, c.Password = "admin", adminPassword
	defer c.Close()
	for _, tag := range []string{"edge", "buildcache"} {
		if d, err := c.Pull("admin/app", tag); err == nil {
			t.Errorf("%s was pushed: %s", tag, d)
		}
	}
	for args, want := range map[string]string{
		"builds ls admin/app":                       "pull request 5",
		"builds show admin/app":                     "6 to main, as the default branch, of the git repository itself",
		"rules pushes admin/app":                    "pull request 5 of a fork",
		"sources refs admin/app --pull-requests":    "main (assumed)",
		"events ls --type pull_request.changed.v1":  "saw the new pull request 5 of a fork",
		"events ls --type pull_requests.watched.v1": "began to watch the pull requests of the git source admin/app, which has 0",
	} {
		if out := h.run(strings.Fields(args)...); !strings.Contains(out, want) {
			t.Errorf("%s does not say %q:\n%s", args, want, out)
		}
	}
}
