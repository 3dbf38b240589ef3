package cmd

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/cmd/client"
)

func TestLoginFileIsTheOwnersAlone(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	logins, err := client.ReadLogins()
	if err != nil || len(logins.Logins) != 0 {
		t.Fatalf("no file: %+v, %v", logins, err)
	}
	logins.Current = "https://hub"
	logins.Logins["https://hub"] = client.Login{User: "alice", Token: "hlt_secret"}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(config, "hubledger", "login.json")
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	again, err := client.ReadLogins()
	if err != nil || again.Logins["https://hub"] != logins.Logins["https://hub"] || again.Current != logins.Current {
		t.Errorf("%+v, %v", again, err)
	}
	writeFile(t, path, `{"logins": {"https://hub": {"token": "hlt_secret"`)
	if _, err := client.ReadLogins(); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hlt_") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestWhichHubIsAsked(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	ask := func(c target, data string) string {
		t.Helper()
		s := testSession(t, io.Discard)
		s.data = data
		a, err := c.api(s)
		if err != nil {
			return err.Error()
		}
		return a.String()
	}
	is := func(got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	is(ask(target{}, defaultData), "hubledger-data/admin.sock")
	is(ask(target{Server: "hub"}, defaultData), "there is no login for https://hub: log in with `hubledger login https://hub`")
	logins := client.Logins{Current: "https://hub", Logins: map[string]client.Login{"https://hub": {User: "alice"}, "https://other": {User: "bob"}}}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	is(ask(target{}, defaultData), "alice at https://hub")
	is(ask(target{Server: "other"}, defaultData), "bob at https://other")
	is(ask(target{Server: "other"}, "/srv/hub"), "bob at https://other")
	is(ask(target{}, "/srv/hub"), "/srv/hub/admin.sock")
	is(ask(target{Operator: true}, defaultData), "hubledger-data/admin.sock")
	is(ask(target{Server: "https://hub/path"}, defaultData), "--server")
}

func TestSecretsAreReadLineByLine(t *testing.T) {
	in := strings.NewReader("old one\r\nnew one\nrest")
	for _, want := range []string{"old one", "new one", "rest"} {
		if got, err := nextLine(in); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if got, err := nextLine(in); err == nil {
		t.Errorf("behind the end there is %q", got)
	}
	if _, err := nextLine(strings.NewReader(strings.Repeat("x", maxSecret+1))); err == nil {
		t.Error("a line has no bound")
	}
}
