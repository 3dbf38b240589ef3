package cmd

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/totp"
)

// secondFactor turns one on, and returns its recovery codes.
func (p person) secondFactor(t *testing.T, h *hubProcess) []string {
	t.Helper()
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	made := p.does(t, h, "PUT", "/api/v1/users/"+p.name+"/second-factor",
		object{"password": p.secret, "key": key, "code": totp.Code(raw, totp.Step(time.Now()))})
	return decode[apitypes.RecoveryCodes](t, string(made.body)).Codes
}

// docker login is told to take an access token, and works with one.
func testDockerSecondFactor(t *testing.T, h *hubProcess, alice person) {
	byToken, id := alice.token(t, h, "write")
	before, ref := dockerOf(t, h, alice), h.Addr+"/alice/second-factor:1"
	codes := alice.secondFactor(t, h)
	d := docker(t)
	d.refused(t, "log in with an access token in place of the password", "login", "-u", "alice", "-p", alice.secret, h.Addr)
	if auth, identity, _ := configOf(t, d, h); auth != "" || identity != "" {
		t.Error("docker keeps a login that was refused")
	}
	worksWith(t, before, ref) // a login of before
	byToken.login(t, h, d)
	worksWith(t, d, ref)
	byToken.does(t, h, "GET", "/api/v1/user", nil)
	admin := person{"alice", alice.secret}
	admin.does(t, h, "POST", "/api/v1/users/alice/second-factor/removal", object{"password": alice.secret, "code": codes[1]}, apitypes.CodeHeader, codes[0])
	alice.login(t, h, docker(t))
	alice.does(t, h, "DELETE", "/api/v1/users/alice/tokens/"+id, nil)
}

// hubledger login asks for the code after the password, and the operator turns a second
// factor off.
func TestLoginWithSecondFactor(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	codes := admin.secondFactor(t, h)
	home := t.TempDir()
	run := func(in string, args ...string) (string, bool) {
		t.Helper()
		p := exec.Command(program(t), args...)
		p.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
		p.Stdin = strings.NewReader(in)
		out, err := p.CombinedOutput()
		return string(out), err == nil
	}
	login := []string{"login", h.URL, "-u", "admin", "--password-stdin"}
	if out, ok := run(adminPassword+"\n", login...); ok || !strings.Contains(out, "no more lines") {
		t.Errorf("without a code: %s", out)
	}
	if out, ok := run(adminPassword+"\nnonsense\n", login...); ok || !strings.Contains(out, "the code is wrong or was used before") {
		t.Errorf("with a wrong code: %s", out)
	}
	if out, ok := run(adminPassword+"\n"+codes[0]+"\n", login...); !ok || !strings.Contains(out, "Logged in") {
		t.Fatalf("with a code: %s", out)
	}
	if out, ok := run("", "users", "second-factor", "show", "admin"); !ok || !strings.Contains(out, "on") || !strings.Contains(out, "9") {
		t.Errorf("show: %s", out)
	}
	off := []string{"users", "second-factor", "off", "admin"}
	if out, ok := run(adminPassword+"\n"+codes[0]+"\n", append(off, "--password-stdin")...); ok || !strings.Contains(out, "used before") {
		t.Errorf("off, by a code that was used: %s", out)
	}
	if out, ok := run("", append([]string{"--data", h.Data}, off...)...); !ok || !strings.Contains(out, "Turned off the second factor of admin") {
		t.Errorf("off, by the operator: %s", out)
	}
	if out, ok := run(adminPassword+"\n", login...); !ok {
		t.Errorf("the password alone: %s", out)
	}
	if out, ok := run("", "--data", h.Data, "events", "ls", "type:user.second_factor_changed"); !ok || strings.Count(out, "turned the second factor of admin") != 2 {
		t.Errorf("the log says %s", out)
	}
}
