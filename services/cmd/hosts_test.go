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
)

// Enrolled by a token, a machine reports its engine to the hub; a hub that was started again
// hears of it; a token for something else makes no host, and who was revoked is cut off.
func TestHost(t *testing.T) {
	docker(t)
	dir := t.TempDir()
	if out, err := exec.Command(program(t), "tls", "init", "--host", "127.0.0.1", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := startHub(t, "--builder", "off", "--nats-listen", freeAddr(t), "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"))
	ca, data := filepath.Join(dir, "ca.crt"), filepath.Join(t.TempDir(), "web1")
	run := func(args ...string) string {
		t.Helper()
		out, errOut, code := h.Run(args...)
		if code != 0 {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, errOut)
		}
		return out
	}
	token := func(kind, name string) string {
		t.Helper()
		var invited struct{ Token string }
		if err := json.Unmarshal([]byte(run("--json", kind, "enroll", name)), &invited); err != nil {
			t.Fatal(err)
		}
		return invited.Token
	}
	refused := func(want, token string) {
		t.Helper()
		c := exec.Command(program(t), "agent", "--hub", h.URL, "--ca", ca, "--data", t.TempDir())
		c.Env = append(os.Environ(), "HUBLEDGER_ENROLL="+token)
		if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v\n%s\nwant %q", err, out, want)
		}
	}
	agent := &builderProcess{t: t, Data: data, log: &logBuffer{}, args: []string{"agent", "--hub", h.URL, "--ca", ca, "--weights", freeAddr(t)}}
	t.Cleanup(func() {
		agent.kill()
		if t.Failed() {
			t.Logf("log of the agent:\n%s", agent.log)
		}
	})
	list := func() (hosts []apitypes.Host) {
		for line := range strings.Lines(run("--json", "hosts", "ls")) {
			var one apitypes.Host
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			hosts = append(hosts, one)
		}
		return hosts
	}
	awaits := func(what string, so func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not so; the hosts are %+v", what, list())
			}
		}
	}
	connected := func() bool {
		hosts := list()
		return len(hosts) == 1 && hosts[0].State == "connected" && hosts[0].Engine != "" && hosts[0].EngineError == "" && hosts[0].Seen != nil
	}

	refused("the token is not for a machine of this kind: it is for a builder", token("builders", "big-iron"))
	refused("the token is not good", "x")
	refused("hubledger hosts enroll NAME", "")
	used := token("hosts", "web1")
	agent.start("HUBLEDGER_ENROLL=" + used)
	awaits("its engine is known", connected)
	if info, err := os.Stat(filepath.Join(data, "machine.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its key is %v, %v", info, err)
	}
	refused("the token is not good", used)

	h.Kill()
	h.Start()
	awaits("it is back at the hub that was started again", connected)
	agent.end(syscall.SIGTERM)
	awaits("it is away", func() bool { return list()[0].State == "away" })
	agent.start()
	awaits("it is back without a token", connected)

	run("hosts", "revoke", "web1")
	awaits("it is cut off", func() bool { return strings.Contains(agent.log.String(), "the hub does not let this machine in") })
	if hosts := list(); len(hosts) != 0 {
		t.Errorf("there are %+v", hosts)
	}
}
