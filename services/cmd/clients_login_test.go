package cmd

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wrongLogin matches what docker and others print for a wrong password.
const wrongLogin = "unauthorized: incorrect username or password"

func TestDockerLogin(t *testing.T) {
	h := startHub(t)
	alice := newUser(t, h, "alice")
	for _, flow := range []struct {
		name string
		test func(*testing.T, *hubProcess, person)
	}{
		{"password", testDockerPassword},
		{"credential helper", testCredentialHelper},
		{"access token", testDockerToken},
		{"second factor", testDockerSecondFactor},
		{"expired", testDockerExpired},
	} {
		t.Run(flow.name, func(t *testing.T) { flow.test(t, h, alice) })
	}
}

// worksWith pushes an image and pulls it back.
func worksWith(t *testing.T, d tool, ref string) {
	t.Helper()
	dockerBuild(t, d, unique(), ref)
	d.run(t, "push", ref)
	d.run(t, "rmi", ref)
	d.run(t, "pull", ref)
}

// worksNoMore checks that a login that worked before is refused.
func worksNoMore(t *testing.T, d tool, why, ref string) {
	t.Helper()
	d.refused(t, why, "push", ref)
	d.refused(t, why, "pull", ref)
}

// configOf is docker's configuration file.
func configOf(t testing.TB, d tool, h *hubProcess) (auth, identity, whole string) {
	t.Helper()
	dir, _ := strings.CutPrefix(d.env[0], "DOCKER_CONFIG=")
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if os.IsNotExist(err) {
		return "", "", ""
	}
	if err != nil {
		t.Fatal(err)
	}
	file := decode[struct {
		Auths map[string]struct{ Auth, IdentityToken string }
	}](t, string(text))
	mine := file.Auths[h.Addr]
	return mine.Auth, mine.IdentityToken, string(text)
}

func testDockerPassword(t *testing.T, h *hubProcess, alice person) {
	d, ref := docker(t), h.Addr+"/alice/by-password:1"
	d.refused(t, wrongLogin, "login", "-u", "alice", "-p", "wrong password", h.Addr)
	d.refused(t, wrongLogin, "login", "-u", "nobody-of-this-name", "-p", alice.secret, h.Addr)
	if _, _, whole := configOf(t, d, h); whole != "" {
		t.Fatalf("a refused login left %s", whole)
	}
	alice.login(t, h, d)
	auth, identity, whole := configOf(t, d, h)
	name, err := base64.StdEncoding.DecodeString(auth)
	if err != nil || string(name) != "alice:" || !strings.HasPrefix(identity, "hlt_") || strings.Contains(whole, alice.secret) {
		t.Fatalf("docker keeps %s, which is for %q: %v", whole, name, err)
	}
	worksWith(t, d, ref)

	// A new password ends the login that the old password made, and no other.
	byToken, _ := alice.token(t, h, "read")
	other := dockerOf(t, h, byToken)
	before := alice.secret
	change := object{"old": before, "new": "another password"}
	alice.does(t, h, "PUT", "/api/v1/users/alice/password", change)
	worksNoMore(t, d, "log in again", ref)
	other.run(t, "pull", ref)
	d.refused(t, wrongLogin, "login", "-u", "alice", "-p", before, h.Addr)
	alice.secret = "another password"
	alice.login(t, h, d)
	d.run(t, "push", ref)
	alice.does(t, h, "PUT", "/api/v1/users/alice/password", object{"old": alice.secret, "new": before})
	alice.secret = before

	alice.login(t, h, d)
	d.run(t, "logout", h.Addr)
	if auth, identity, whole := configOf(t, d, h); auth != "" || identity != "" {
		t.Fatalf("after the logout docker keeps %s", whole)
	}
	worksNoMore(t, d, "docker login "+h.Addr, ref)
}

// helperScript is a credential helper that keeps one login in a file.
const helperScript = `#!/bin/sh
case "$1" in
store) cat >"$CREDENTIAL_FILE" ;;
get) cat "$CREDENTIAL_FILE" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
erase) rm -f "$CREDENTIAL_FILE" ;;
list) echo '{}' ;;
esac
`

// Credential helpers store an identity token under the user name <token>.
func testCredentialHelper(t *testing.T, h *hubProcess, alice person) {
	dir, config := t.TempDir(), t.TempDir()
	stored := filepath.Join(dir, "stored")
	writeFile(t, filepath.Join(dir, "docker-credential-test"), helperScript)
	writeFile(t, filepath.Join(config, "config.json"), `{"credsStore": "test"}`)
	d := docker(t, "DOCKER_CONFIG="+config, "PATH="+dir+":"+os.Getenv("PATH"), "CREDENTIAL_FILE="+stored)
	ref := h.Addr + "/alice/by-helper:1"
	alice.login(t, h, d)
	text, err := os.ReadFile(stored)
	if err != nil {
		t.Fatal(err)
	}
	kept := decode[struct{ ServerURL, Username, Secret string }](t, string(text))
	if kept.ServerURL != h.Addr || kept.Username != "<token>" || !strings.HasPrefix(kept.Secret, "hlt_") {
		t.Fatalf("the helper keeps %s", text)
	}
	if _, _, whole := configOf(t, d, h); strings.Contains(whole, kept.Secret) || strings.Contains(whole, alice.secret) {
		t.Fatalf("beside the helper docker keeps %s", whole)
	}
	worksWith(t, d, ref)
	d.run(t, "logout", h.Addr)
	if _, err := os.Stat(stored); !os.IsNotExist(err) {
		t.Fatalf("the helper keeps it after the logout: %v", err)
	}
	worksNoMore(t, d, "docker login "+h.Addr, ref)
}

func testDockerToken(t *testing.T, h *hubProcess, alice person) {
	byToken, id := alice.token(t, h, "admin")
	d, ref := docker(t), h.Addr+"/alice/by-token:1"
	d.refused(t, wrongLogin, "login", "-u", "admin", "-p", byToken.secret, h.Addr) // somebody else's name
	d.refused(t, wrongLogin, "login", "-u", "alice", "-p", byToken.secret+"A", h.Addr)
	d.refused(t, wrongLogin, "login", "-u", "alice", "-p", "hlt_"+strings.Repeat("A", 43), h.Addr)
	byToken.login(t, h, d)
	worksWith(t, d, ref)
	if _, _, whole := configOf(t, d, h); strings.Contains(whole, alice.secret) {
		t.Fatalf("docker keeps %s", whole)
	}
	alice.does(t, h, "DELETE", "/api/v1/users/alice/tokens/"+id, nil)
	worksNoMore(t, d, "log in again", ref)
	d.refused(t, "log in again", "login", "-u", "alice", "-p", byToken.secret, h.Addr)
}

func testDockerExpired(t *testing.T, h *hubProcess, alice person) {
	d, ref := docker(t), h.Addr+"/alice/expired:1"
	worksWith(t, dockerOf(t, h, alice), ref)
	// On a slow machine a token may expire before it is used.
	for life := 2 * time.Second; ; life *= 2 {
		expires := time.Now().Add(life)
		byToken, _ := alice.newToken(t, h, "/users/alice", "alice", object{"name": "short", "level": "admin", "expires": expires.UTC()})
		_, stderr, err := d.try("login", "-u", "alice", "-p", byToken.secret, h.Addr)
		if err == nil {
			_, stderr, err = d.try("pull", ref)
		}
		if err == nil {
			break
		}
		if time.Now().Before(expires) || life > time.Minute {
			t.Fatalf("a token that is not over is refused: %v %s", err, stderr)
		}
	}
	until(t, "the token is refused", func() bool {
		_, _, err := d.try("pull", ref)
		return err != nil
	})
	worksNoMore(t, d, "log in again", ref)
}
