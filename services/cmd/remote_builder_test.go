package cmd

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
)

// A builderProcess is a builder beside the hub, as it would be on another machine.
type builderProcess struct {
	t    testing.TB
	Data string
	cmd  *exec.Cmd
	log  *logBuffer
	args []string
	gone chan struct{}
}

// startRemote starts a hub that builds nothing itself and lets builders connect.
func startRemote(t *testing.T) *gitHub {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command(program(t), "tls", "init", "--host", "127.0.0.1", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := startGitHub(t, "--builder", "off", "--nats-listen", freeAddr(t), "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"))
	h.ca = filepath.Join(dir, "ca.crt")
	return h
}

// builder enrolls a builder and starts it.
func (h *gitHub) builder(name string) *builderProcess {
	h.t.Helper()
	out := h.run("--json", "builders", "enroll", name)
	var invited apitypes.InvitedBuilder
	if err := json.Unmarshal([]byte(out), &invited); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	b := &builderProcess{t: h.t, Data: filepath.Join(h.t.TempDir(), name), log: &logBuffer{},
		args: []string{"builder", "--hub", h.URL, "--ca", h.ca, "--builder-tools", h.tools, "--places", "1", "--allow-hosts", "127.0.0.1"}}
	h.t.Cleanup(func() {
		b.kill()
		if h.t.Failed() {
			h.t.Logf("log of the builder %s:\n%s", name, b.log)
		}
	})
	b.start("HUBLEDGER_ENROLL=" + invited.Token)
	return b
}

func (b *builderProcess) start(env ...string) {
	b.t.Helper()
	b.cmd = exec.Command(program(b.t), append([]string{"--data", b.Data}, b.args...)...)
	b.cmd.Env = append(os.Environ(), env...)
	b.cmd.Stdout, b.cmd.Stderr = b.log, b.log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.gone = make(chan struct{})
	go func(cmd *exec.Cmd, gone chan struct{}) { cmd.Wait(); close(gone) }(b.cmd, b.gone)
}

// end sends a signal and waits until the builder has ended.
func (b *builderProcess) end(signal os.Signal) {
	b.cmd.Process.Signal(signal)
	<-b.gone
}

func (b *builderProcess) kill() {
	if b.cmd != nil {
		b.end(os.Kill)
	}
}

// state is that of a builder in the list.
func (h *gitHub) state(name string) string {
	h.t.Helper()
	for line := range strings.Lines(h.run("--json", "builders", "ls")) {
		var b apitypes.Builder
		if json.Unmarshal([]byte(line), &b) == nil && b.Name == name {
			return b.State
		}
	}
	return ""
}

// await waits until something is so.
func (h *gitHub) await(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s: not so; the builds are %+v", what, h.builds())
		}
	}
}

// running waits until the build of main runs at that builder, in a step of its
// Dockerfile.
func (h *gitHub) running(name string, epoch int) {
	h.t.Helper()
	h.await("a build runs at "+name, func() bool {
		all := h.builds()
		return len(all) > 0 && all[0].State == "running" && all[0].Builder == name && strings.Count(h.run("builds", "logs", "admin/app"), "==> [") >= epoch
	})
}

// slow is a Dockerfile whose build takes a few seconds, also when an earlier one is in the
// cache: the sleeper runs behind the file that differs.
const slow = "FROM scratch\nCOPY sleeper /sleeper\nCOPY hello /hello\nRUN [\"/sleeper\"]\n"

// sleeper is a static program that sleeps for some seconds.
func sleeper(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(8 * time.Second) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "sleeper")
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A builder in a process of its own, with TLS and an NKey, builds what a git push asks
// for; the image can be pulled.
func TestRemoteBuilder(t *testing.T) {
	h := startRemote(t)
	h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"}, "v3.0")
	h.await("a build waits, and says why", func() bool {
		all := h.builds()
		return len(all) == 2 && all[0].State == "waiting" && all[0].Reason == "no-builder"
	})
	h.builder("big-iron")
	got := h.ended(2)
	release := got["release"]
	if release.Outcome != "succeeded" || release.Builder != "big-iron" || strings.Join(release.Set, " ") != "3.0 latest" || got["edge"].Outcome != "succeeded" {
		t.Fatalf("built were %+v", got)
	}
	if log := h.run("builds", "logs", "admin/app", release.Short()); !strings.Contains(log, "COPY hello /hello") {
		t.Errorf("its log is %s", log)
	}
	c := registrytest.NewClient(h.URL)
	c.Trust(t, h.ca)
	c.User, c.Password = "admin", adminPassword
	defer c.Close()
	if d, err := c.Pull("admin/app", "3.0"); err != nil || d.String() != release.Digest {
		t.Errorf("3.0 is %s, %v", d, err)
	}
	if state := h.state("big-iron"); state != "connected" {
		t.Errorf("the builder is %s", state)
	}
}

// Whatever is killed during a build, and when the builder is revoked: no build is stuck,
// lost or doubled.
func TestRemoteBuilderKilled(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("takes minutes: HUBLEDGER_SOAK=1 runs it")
	}
	h := startRemote(t)
	program := sleeper(t)
	first := h.builder("first")
	commit := func(text string) {
		if err := os.WriteFile(filepath.Join(h.git.Work, "sleeper"), []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
		h.commit(map[string]string{"Dockerfile": slow, "hello": text}, "")
	}
	succeeds := func(what, builder string) {
		t.Helper()
		n := len(h.builds())
		b := h.ended(n)["edge"]
		if b.Outcome != "succeeded" || b.Builder != builder {
			t.Errorf("%s: it ended as %+v", what, b)
		}
	}
	commit("builder killed")
	h.running("first", 1)
	first.end(os.Kill)
	first.start()
	succeeds("the builder was killed", "first")

	commit("hub killed")
	h.running("first", 1)
	h.Kill()
	h.Start()
	succeeds("the hub was killed", "first")
	if log := h.run("builds", "logs", "admin/app"); strings.Count(log, "fetching ") != 1 {
		t.Errorf("the build did not go on when the hub was back:\n%s", log)
	}

	commit("builder stopped")
	h.running("first", 1)
	first.end(syscall.SIGTERM)
	h.await("the build waits", func() bool { return h.builds()[0].State == "waiting" })
	first.start()
	succeeds("the builder stopped", "first")

	commit("builder revoked")
	h.running("first", 1)
	h.run("builders", "revoke", "first")
	h.await("the build waits", func() bool { return h.builds()[0].State == "waiting" })
	h.builder("second")
	succeeds("the builder was revoked", "second")
	h.await("the revoked builder has stopped what it had", func() bool {
		left, err := os.ReadDir(filepath.Join(first.Data, "builds", "checkouts"))
		return err == nil && len(left) == 0
	})
	if state := h.state("first"); state != "" {
		t.Errorf("the revoked builder is %s", state)
	}

	commit("cancelled")
	h.running("second", 1)
	h.run("builds", "cancel", "admin/app")
	began := time.Now()
	h.await("the builder has a place again", func() bool {
		return strings.Contains(h.run("builders", "ls"), "second") && !strings.Contains(h.run("--json", "builders", "ls"), `"running":1`)
	})
	t.Logf("cancelled after %v", time.Since(began))
	commit("after the cancelling")
	succeeds("another build was cancelled", "second")
	for _, b := range h.builds() {
		if b.State != "ended" {
			t.Errorf("a build is left: %+v", b)
		}
	}
}

// Without a token, with one that was used, and without TLS nobody becomes a builder.
func TestNoBuilder(t *testing.T) {
	h := startRemote(t)
	b := h.builder("big-iron")
	h.await("it is connected", func() bool { return h.state("big-iron") == "connected" })
	info, err := os.Stat(filepath.Join(b.Data, "machine.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its key is %v, %v", info, err)
	}
	fails := func(want string, env string, args ...string) {
		t.Helper()
		c := exec.Command(program(t), append([]string{"--data", t.TempDir(), "builder", "--builder-tools", h.tools}, args...)...)
		c.Env = append(os.Environ(), env)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s\nwant %q", args, err, out, want)
		}
	}
	fails("builders enroll", "X=", "--hub", h.URL, "--ca", h.ca)
	fails("the token is not good", "HUBLEDGER_ENROLL=x", "--hub", h.URL, "--ca", h.ca)
	fails("certificate", "HUBLEDGER_ENROLL=x", "--hub", h.URL)
	fails("https://", "HUBLEDGER_ENROLL=x", "--hub", "http://hub.example.com")
}
