package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// The nats command follows the log of a hub as a user that an administrator has added, and is
// cut off when the user is revoked.
func TestNATSUsers(t *testing.T) {
	t.Parallel()
	nats := findTool(t, "nats", "task clients")
	address := freeAddr(t)
	h := hubOn(t, filepath.Join(t.TempDir(), "data"), "--nats-listen", address, "--builder", "off")
	if stdout, stderr, code := h.Run("tls", "init", "--host", "127.0.0.1"); code != console.ExitOK {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	h.Start()
	found, err := filepath.Glob(filepath.Join(h.Data, "*", "ca.crt"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	authority := found[0]
	dir := t.TempDir()
	run := func(want int, text string, args ...string) {
		t.Helper()
		if stdout, stderr, code := h.Run(args...); code != want || !strings.Contains(stdout+stderr, text) {
			t.Fatalf("%v: %d\n%s%s", args, code, stdout, stderr)
		}
	}
	key := filepath.Join(t.TempDir(), "auditor.nk")
	run(console.ExitOK, "nats --server tls://"+address, "nats", "users", "add", "auditor", "-o", key)
	run(console.ExitFail, "is there already", "nats", "users", "add", "other", "-o", key)
	run(console.ExitFail, "there is a machine of that name", "nats", "users", "add", "auditor", "-o", key+"2")
	if _, err := os.Stat(key + "2"); err == nil {
		t.Error("a refused user leaves a key")
	}
	run(console.ExitOK, "auditor", "nats", "users", "ls")
	run(console.ExitOK, "enrolled the reader auditor", "events", "ls")

	nats.args = []string{"--server", "tls://" + address, "--tlsfirst", "--tlsca", authority, "--nkey", key}
	nats.env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if out := nats.run(t, "stream", "get", "EVT", "1"); !strings.Contains(out, "namespace.created.v1") {
		t.Errorf("event 1 is\n%s", out)
	}
	follow := exec.Command(nats.path, append(nats.args, "sub", "--stream", "EVT", "--direct", "--all")...)
	follow.Env = nats.env
	said := &logBuffer{}
	follow.Stdout, follow.Stderr = said, said
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { follow.Wait(); close(gone) }()
	t.Cleanup(func() { follow.Process.Kill(); <-gone })
	says := func(text string) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !strings.Contains(said.String(), text); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it does not say %s:\n%s", text, said)
			}
		}
	}
	says("hub.initialized.v1")
	c := registrytest.NewClient(asURL(h, admin))
	defer c.Close()
	if err := c.Push("admin/app", "v1", registrytest.NewImage("v1")); err != nil {
		t.Fatal(err)
	}
	says("image.pushed.v1")
	says(".tag.")
	if out, err := exec.Command(nats.path, append(nats.args, "pub", "evt._.hub._", "x")...).CombinedOutput(); err == nil && !strings.Contains(strings.ToLower(string(out)), "violation") {
		t.Errorf("it may publish: %s", out)
	}
	run(console.ExitOK, "Revoked auditor", "nats", "users", "revoke", "auditor")
	if out, err := exec.Command(nats.path, append(nats.args, "stream", "get", "EVT", "1")...).CombinedOutput(); err == nil {
		t.Errorf("when it is revoked it reads\n%s", out)
	}
	run(console.ExitFail, "there is no NATS user auditor", "nats", "users", "revoke", "auditor")
}
