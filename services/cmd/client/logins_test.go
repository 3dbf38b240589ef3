package client

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoginFileIsTheOwnersAlone(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	logins, err := ReadLogins()
	if err != nil || len(logins.Logins) != 0 {
		t.Fatalf("no file: %+v, %v", logins, err)
	}
	logins.Current = "https://hub"
	logins.Logins["https://hub"] = Login{User: "alice", Token: "hlt_secret"}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(config, "hubledger", "login.json")
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
	again, err := ReadLogins()
	if err != nil || again.Logins["https://hub"] != logins.Logins["https://hub"] || again.Current != logins.Current {
		t.Errorf("%+v, %v", again, err)
	}
	if err := os.WriteFile(path, []byte(`{"logins": {"https://hub": {"token": "hlt_secret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLogins(); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hlt_") {
		t.Errorf("a broken file: %v", err)
	}
}
