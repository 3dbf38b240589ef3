package console

import (
	"io"
	"strings"
	"testing"

	"hubledger/services/cmd/client"
)

func TestWhichHubIsAsked(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	ask := func(c Target, data string) string {
		t.Helper()
		s := newSession(t, io.Discard)
		s.Data = data
		a, err := c.API(s)
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
	is(ask(Target{}, DefaultData), "hubledger-data/admin.sock")
	is(ask(Target{Server: "hub"}, DefaultData), "there is no login for https://hub: log in with `hubledger login https://hub`")
	logins := client.Logins{Current: "https://hub", Logins: map[string]client.Login{"https://hub": {User: "alice"}, "https://other": {User: "bob"}}}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	is(ask(Target{}, DefaultData), "alice at https://hub")
	is(ask(Target{Server: "other"}, DefaultData), "bob at https://other")
	is(ask(Target{Server: "other"}, "/srv/hub"), "bob at https://other")
	is(ask(Target{}, "/srv/hub"), "/srv/hub/admin.sock")
	is(ask(Target{Operator: true}, DefaultData), "hubledger-data/admin.sock")
	is(ask(Target{Server: "https://hub/path"}, DefaultData), "--server")
}
