package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/services/builder/buildkit"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/registry/registrytest"
)

// A gitHub is a hub that builds, and the git repository, if any, that it watches as
// admin/app.
type gitHub struct {
	*hubProcess
	git   *gitremotetest.World
	tools string // directory of the programs that build
	ca    string // certificate of the hub's authority, if it has one of its own
}

// startGitHub starts a hub that can build here and watches a git repository, or skips the
// test. args are more flags for serve.
func startGitHub(t *testing.T, args ...string) *gitHub {
	t.Helper()
	h := startBuilding(t, args...)
	h.git = gitremotetest.New(t, "sha1")
	host := h.git.ServeHTTP(true)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte("version: 1\nrules:\n  - name: release\n    tag: /^v([0-9.]+)$/\n    tags: ['{\\1}', latest]\n  - name: edge\n    branch: main\n    tags: [edge]\n    network: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run("sources", "link", "admin/app", host.URL+"/app.git")
	h.run("sources", "sweep", "admin/app")
	h.run("rules", "set", "admin/app", rules, "--source", "admin/app")
	return h
}

// startBuilding starts a hub that can build here and has the repository admin/app, or
// skips the test.
func startBuilding(t *testing.T, args ...string) *gitHub {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".tmp", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	missing := buildkit.FindTools(dir).Check()
	if os.Geteuid() != 0 && missing == nil {
		missing = fmt.Errorf("only root can make cages")
	}
	if missing != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	h := &gitHub{tools: dir}
	h.hubProcess = startHub(t, append([]string{"--allow-hosts", "127.0.0.1", "--builder-tools", dir}, args...)...)
	h.run("repos", "create", "admin/app")
	return h
}

// run runs a command as the operator, and returns what it prints.
func (h *gitHub) run(args ...string) string {
	h.t.Helper()
	out, err := exec.Command(program(h.t), append([]string{"--data", h.Data}, args...)...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// commit commits files and pushes them.
func (h *gitHub) commit(files map[string]string, tag string) (id string) {
	h.t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(h.git.Work, name), []byte(text), 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	h.git.Git(h.git.Work, "add", ".")
	h.git.Git(h.git.Work, "commit", "-q", "-m", "change")
	if tag != "" {
		h.git.Git(h.git.Work, "tag", "-a", "-m", tag, tag)
		h.git.Push("main", tag)
	} else {
		h.git.Push("main")
	}
	h.run("sources", "sweep", "admin/app")
	return h.git.Git(h.git.Work, "rev-parse", "HEAD")
}

// builds are the builds of admin/app.
func (h *gitHub) builds() (list []apitypes.Build) {
	h.t.Helper()
	for line := range strings.Lines(h.run("--json", "builds", "ls", "admin/app")) {
		var b apitypes.Build
		if err := json.Unmarshal([]byte(line), &b); err != nil {
			continue // "No builds yet" is no JSON
		}
		list = append(list, b)
	}
	return list
}

// ended waits until so many builds are there and all have ended, and returns them by
// the name of their rule.
func (h *gitHub) ended(n int) map[string]apitypes.Build {
	h.t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		found, all := map[string]apitypes.Build{}, h.builds()
		done := len(all) >= n
		for _, b := range all {
			done = done && b.State == "ended"
			if _, ok := found[b.Rule]; !ok {
				found[b.Rule] = b
			}
		}
		if done {
			return found
		}
		if time.Now().After(end) {
			h.t.Fatalf("the builds do not end: %+v", all)
		}
	}
}

// A git tag becomes an image with all its tags, which can be pulled by each of them;
// the log tells every step; a Dockerfile that fails says why.
func TestGitPushBecomesImage(t *testing.T) {
	h := startGitHub(t)
	commit := h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"}, "v3.0")
	got := h.ended(2)
	release, edge := got["release"], got["edge"]
	if release.Outcome != "succeeded" || edge.Outcome != "succeeded" || release.Commit != commit || strings.Join(release.Set, " ") != "3.0 latest" || strings.Join(edge.Set, " ") != "edge" {
		t.Fatalf("built were %+v and %+v\n%s", release, edge, h.run("builds", "logs", "admin/app"))
	}
	c := registrytest.NewClient(h.URL)
	c.User, c.Password = "admin", adminPassword
	defer c.Close()
	for tag, want := range map[string]string{"3.0": release.Digest, "latest": release.Digest, "edge": edge.Digest} {
		if d, err := c.Pull("admin/app", tag); err != nil || d.String() != want {
			t.Errorf("%s is %s, %v; the build says %s", tag, d, err, want)
		}
	}
	if got := fmt.Sprint(h.imageFiles(c, "latest")); got != "map[hello:644 hi]" {
		t.Errorf("the image has %s", got)
	}
	log := h.run("builds", "logs", "admin/app", release.Short(), "-f")
	if !strings.Contains(log, "COPY hello /hello") || !strings.Contains(log, "succeeded: docker pull ") {
		t.Errorf("its log is %s", log)
	}
	events := h.run("events", "ls")
	for _, want := range []string{"ref.moved.v1", "push.evaluated.v1", "build.queued.v1", "build.claimed.v1", "build.step_ended.v1", "build.pushed.v1", "image.tagged.v1", "build.finished.v1"} {
		if !strings.Contains(events, want) {
			t.Errorf("the log has no %s:\n%s", want, events)
		}
	}

	if refs := h.run("sources", "refs", "admin/app"); !strings.Contains(refs, release.Short()+" succeeded") || !strings.Contains(refs, edge.Short()+" succeeded") {
		t.Errorf("the refs were not built:\n%s", refs)
	}

	broken := h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY nothing /hello\n"}, "v3.1")
	out, err := exec.Command(program(t), "--data", h.Data, "builds", "logs", "-f", "admin/app").CombinedOutput() // at once: it is that of the new commit
	if err == nil || !strings.Contains(string(out), " at "+broken[:8]+", queued ") || !strings.Contains(string(out), " failed: ") {
		t.Errorf("followed was %v\n%s", err, out)
	}
	got = h.ended(4)
	if b := got["release"]; b.Outcome != "failed" || !strings.Contains(b.Detail, "nothing") {
		t.Errorf("with a file that is not there: %+v", b)
	}
	if d, err := c.Pull("admin/app", "latest"); err != nil || d.String() != release.Digest {
		t.Errorf("latest became %s, %v", d, err)
	}
}

// A hub that is killed while it builds builds what it had when it starts again: no
// build is stuck, lost or doubled.
func TestBuildsSurviveKills(t *testing.T) {
	h := startGitHub(t)
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"}, "v3.0")
	for k := range 3 {
		h.Kill()
		h.Start()
		if k == 0 {
			continue
		}
		h.commit(map[string]string{"hello": fmt.Sprint("hi ", k)}, fmt.Sprintf("v4.%d", k))
		time.Sleep(time.Duration(k) * 300 * time.Millisecond) // anywhere in the builds
	}
	got := h.ended(4) // of the tags; builds of main may be superseded
	seen := map[string]int{}
	for _, b := range h.builds() {
		seen[b.Rule+" "+b.Commit+" "+b.Ref]++
		if b.Outcome != "succeeded" && b.Outcome != "superseded" && b.Outcome != "lost" {
			t.Errorf("a build ended as %+v", b)
		}
	}
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s was built %d times", what, n)
		}
	}
	if got["release"].Outcome != "succeeded" {
		t.Errorf("the latest tag is not built: %+v", got["release"])
	}
	left, err := filepath.Glob(filepath.Join(h.Data, "builds", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			t.Errorf("%s is left", path)
		}
	}
}

// Cancelling ends what runs of a build.
func TestCancelBuild(t *testing.T) {
	h := startGitHub(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sleep := filepath.Join(t.TempDir(), "sleep")
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", sleep, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.git.Work, "sleep"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY sleep /sleep\nRUN [\"/sleep\"]\n"}, "v3.0")
	running := func() bool {
		for _, b := range h.builds() {
			if b.State == "running" {
				return strings.Contains(h.run("builds", "logs", "admin/app", b.ID), `RUN ["/sleep"]`)
			}
		}
		return false
	}
	for end := time.Now().Add(time.Minute); !running(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not run: %+v", h.builds())
		}
	}
	for _, b := range h.builds() {
		if b.State != "ended" {
			h.run("builds", "cancel", "admin/app", b.ID)
		}
	}
	for rule, b := range h.ended(2) {
		if b.Outcome != "cancelled" {
			t.Errorf("%s ended as %+v", rule, b)
		}
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		out, _ := exec.Command("pgrep", "-fx", "/sleep").Output()
		if len(out) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("what ran of the build runs on: process %s", out)
		}
	}
}

// pushed waits until the rules of admin/app were evaluated for a commit, and returns the
// push.
func (h *gitHub) pushed(commit string) (p apitypes.Push) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		for line := range strings.Lines(h.run("--json", "rules", "pushes", "admin/app")) {
			if json.Unmarshal([]byte(line), &p) == nil && p.Commit == commit {
				return p
			}
		}
		if time.Now().After(end) {
			h.t.Fatalf("%s is not evaluated: %s", commit, h.run("rules", "pushes", "admin/app"))
		}
	}
}

// Rules see the commit: what path filters skip is not built and keeps no tag from what
// they let pass; the file of rules in the commit counts, and a broken one builds nothing.
func TestRulesSeeTheCommit(t *testing.T) {
	h := startGitHub(t)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte("version: 1\nrules:\n  - {name: app, branch: main, tags: [app], paths: ['*', '!*.md']}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run("rules", "set", "admin/app", rules)
	first := h.pushed(h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY README.md /\n", "README.md": "1"}, ""))
	second := h.pushed(h.commit(map[string]string{"README.md": "2"}, ""))
	if first.Verdicts[0].Outcome != "build" || second.Verdicts[0].Outcome != "skip" || !strings.HasSuffix(second.Verdicts[0].Detail, "; changed: README.md") {
		t.Errorf("%+v\n%+v", first, second)
	}
	if b := h.ended(1)["app"]; b.Outcome != "succeeded" || strings.Join(b.Set, " ") != "app" {
		t.Errorf("the first commit ended as %+v", b)
	}
	h.run("rules", "set", "admin/app", rules, "--from-file")
	text := "version: 1\nrules:\n  - {name: own, branch: main, tags: [own]}\n"
	third := h.pushed(h.commit(map[string]string{".hubledger.yml": text}, ""))
	if third.File == nil || third.Verdicts[0].Rule != "own" || third.Verdicts[0].Outcome != "build" {
		t.Errorf("%+v", third)
	}
	if b := h.ended(2)["own"]; b.Outcome != "succeeded" || strings.Join(b.Set, " ") != "own" {
		t.Errorf("the third commit ended as %+v", b)
	}
	broken := h.pushed(h.commit(map[string]string{".hubledger.yml": text + "  - {name: own}\n"}, ""))
	if broken.File == nil || !strings.Contains(broken.File.Problem, "line 4, column 5") || len(broken.Verdicts) != 1 || broken.Verdicts[0].Outcome != "skip" {
		t.Errorf("%+v", broken)
	}
	if shown := h.run("rules", "show", "admin/app"); !strings.Contains(shown, "The rules in .hubledger.yml of a commit are taken instead") {
		t.Error(shown)
	}
}
