package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Clients other than docker log in, too; the hub checks their credentials at once
// or when they are first used.
func TestOtherClientsLogIn(t *testing.T) {
	h := startHub(t)
	alice := newUser(t, h, "alice")
	byToken, _ := alice.token(t, h, "write")
	for _, flow := range []struct {
		name string
		test func(*testing.T, *hubProcess, person)
	}{
		{"skopeo", testSkopeoLogin},
		{"crane", testCraneLogin},
		{"oras", testOrasLogin},
	} {
		t.Run(flow.name+" by password", func(t *testing.T) { flow.test(t, h, alice) })
		t.Run(flow.name+" by access token", func(t *testing.T) { flow.test(t, h, byToken) })
	}
	t.Run("oras by identity token", func(t *testing.T) {
		d := dockerOf(t, h, alice)
		_, identity, _ := configOf(t, d, h)
		o := orasAt(t)
		o.refused(t, "unauthorized", "login", "--plain-http", "--identity-token", "hlt_"+strings.Repeat("A", 43), h.Addr)
		contains(t, "oras login", o.run(t, "login", "--plain-http", "--identity-token", identity, h.Addr), "Login Succeeded")
		orasPush(t, o, h)
	})
}

func testSkopeoLogin(t *testing.T, h *hubProcess, p person) {
	s := findTool(t, "skopeo", "apt install skopeo")
	l := newLayout(t, "skopeo login "+unique())
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.json")
	// Keep the test apart from logins that this machine already has.
	s.env = []string{"DOCKER_CONFIG=" + dir, "REGISTRY_AUTH_FILE=" + file}
	login := func(secret string) []string {
		return []string{"login", "--tls-verify=false", "--authfile", file, "-u", p.name, "-p", secret, h.Addr}
	}
	push := []string{"--insecure-policy", "copy", "--all", "--dest-tls-verify=false", "--authfile", file, "oci:" + l.dir + ":1", "docker://" + h.Addr + "/alice/skopeo:1"}
	s.refused(t, "invalid username/password", login("wrong password")...)
	if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), h.Addr) {
		t.Fatalf("a refused login left %s", text)
	}
	s.refused(t, "docker login "+h.Addr, push...)
	contains(t, "skopeo login", s.run(t, login(p.secret)...), "Login Succeeded!")
	s.run(t, push...)
	contains(t, "tags", s.run(t, "list-tags", "--tls-verify=false", "--authfile", file, "docker://"+h.Addr+"/alice/skopeo"), `"1"`)
	s.run(t, "logout", "--authfile", file, h.Addr)
	s.refused(t, "docker login "+h.Addr, push...)
}

func testCraneLogin(t *testing.T, h *hubProcess, p person) {
	c := findTool(t, "crane", "task clients")
	c.env = []string{"DOCKER_CONFIG=" + t.TempDir()}
	l := newLayout(t, "crane login "+unique())
	ref := h.Addr + "/alice/crane:1"
	c.run(t, "auth", "login", "-u", p.name, "-p", "wrong password", h.Addr)
	c.refused(t, "incorrect username or password", "push", l.dir, ref)
	c.run(t, "auth", "login", "-u", p.name, "-p", p.secret, h.Addr)
	c.run(t, "push", l.dir, ref)
	same(t, "digest", c.run(t, "digest", ref), l.index.String())
	c.run(t, "auth", "logout", h.Addr)
	c.refused(t, "docker login "+h.Addr, "push", l.dir, ref)
}

func orasAt(t *testing.T) tool {
	t.Helper()
	o := findTool(t, "oras", "task clients")
	dir := t.TempDir()
	o.env = []string{"DOCKER_CONFIG=" + dir}
	t.Chdir(dir) // oras names files as they are given
	return o
}

func orasPush(t *testing.T, o tool, h *hubProcess) {
	t.Helper()
	writeFile(t, "note.txt", unique())
	o.run(t, "push", "--plain-http", "--no-tty", h.Addr+"/alice/oras:1", "note.txt:text/plain")
	contains(t, "tags", o.run(t, "repo", "tags", "--plain-http", h.Addr+"/alice/oras"), "1")
}

func testOrasLogin(t *testing.T, h *hubProcess, p person) {
	o := orasAt(t)
	o.refused(t, "incorrect username or password", "login", "--plain-http", "-u", p.name, "-p", "wrong password", h.Addr)
	contains(t, "oras login", o.run(t, "login", "--plain-http", "-u", p.name, "-p", p.secret, h.Addr), "Login Succeeded")
	orasPush(t, o, h)
	o.run(t, "logout", h.Addr)
	o.refused(t, "docker login "+h.Addr, "repo", "tags", "--plain-http", h.Addr+"/alice/oras")
}
