package cmd

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/sources/hoststatus/hoststatustest"
)

// A push to a git host comes back as a status of its commit, with a link to the build,
// also when the hub is killed meanwhile; a token that the host refuses is shown with what to
// do, and another one ends that.
func TestGitPushBecomesStatus(t *testing.T) {
	h := startGitHub(t)
	host := hoststatustest.New(t, "gitea", gitremotetest.Password, http.StripPrefix("/acme", h.git.Handler(false)))
	t.Setenv("SSL_CERT_FILE", hoststatustest.Trust(t, host.Server))
	h.Restart() // it reads the authorities when it starts
	withToken := func(token string, args ...string) {
		t.Helper()
		cmd := exec.Command(program(t), append([]string{"--data", h.Data}, args...)...)
		cmd.Stdin = strings.NewReader(token)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	withToken(gitremotetest.Password, "sources", "set", "admin/app", "--url", host.URL+"/acme/app.git", "--host", "gitea", "--user", gitremotetest.User, "--token-stdin", "--status", "on")
	commit := h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"}, "v5.0")
	h.Kill()
	h.Start()
	got := h.ended(2)
	eventually(t, "both statuses", func() bool {
		return strings.Count(h.run("events", "ls"), "status.sent.v1") == 2
	})
	for _, rule := range []string{"release", "edge"} {
		context := "hubledger/admin/app/" + rule
		states := host.States(commit, context)
		if n := len(states); n == 0 || states[n-1] != "success" || states[0] != "pending" {
			t.Errorf("%s went %s", context, states)
		}
		for _, s := range host.Sent() {
			if s.Context == context && !strings.HasSuffix(s.Body["target_url"], "/builds/"+got[rule].ID) {
				t.Errorf("it leads to %s", s.Body["target_url"])
			}
		}
	}
	source := func() (s apitypes.Source) {
		if err := json.Unmarshal([]byte(h.run("--json", "sources", "show", "admin/app")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := source(); !s.Status || s.StatusSent == nil || s.StatusSent.Error != "" {
		t.Errorf("shown is %+v", s.StatusSent)
	}

	withToken("wrong-t0ken", "sources", "set", "admin/app", "--status-token-stdin")
	broken := h.commit(map[string]string{"Dockerfile": "FROM scratch\nCOPY nothing /hello\n"}, "v5.1")
	h.ended(4)
	eventually(t, "a refusal", func() bool { s := source().StatusSent; return s != nil && s.Error != "" })
	if out := h.run("sources", "show", "admin/app"); !strings.Contains(out, "status refused") || !strings.Contains(out, "it answers 401: Bad credentials") ||
		!strings.Contains(out, "the token needs the permission write:repository") || strings.Contains(out, "wrong-t0ken") {
		t.Errorf("shown is\n%s", out)
	}
	if states := host.States(broken, "hubledger/admin/app/release"); len(states) > 0 {
		t.Errorf("it was told %s with a wrong token", states)
	}
	withToken(gitremotetest.Password, "sources", "set", "admin/app", "--status-token-stdin")
	eventually(t, "a failure", func() bool {
		states := host.States(broken, "hubledger/admin/app/release")
		return len(states) > 0 && states[len(states)-1] == "failure"
	})
	if log := h.Log() + h.run("events", "ls"); strings.Contains(log, "wrong-t0ken") {
		t.Error("a token is in a log")
	}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come", what)
		}
	}
}
