package cmd

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
)

// The system page lists every option that `serve --help` names.
func TestEverySettingIsShown(t *testing.T) {
	h := startHub(t, "--builder", "off", "--allow-hosts", "git.lan,10.0.0.0/8")
	var system struct {
		Settings []struct{ Name, Value string }
	}
	if err := json.Unmarshal(admin.does(t, h, "GET", "/api/v1/system", nil).body, &system); err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, s := range system.Settings {
		if slices.Contains(shown, s.Name) || s.Value == "" {
			t.Errorf("%s stands twice, or has no value: %+v", s.Name, s)
		}
		if s.Name == "--allow-hosts" && s.Value != "git.lan, 10.0.0.0/8" {
			t.Errorf("%+v", s)
		}
		shown = append(shown, s.Name)
	}
	help, stderr, _ := h.Run("serve", "--help")
	options := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`).FindAllStringSubmatch(help, -1)
	if len(options) < 40 {
		t.Fatalf("only %d options\n%s%s", len(options), help, stderr)
	}
	of := []string{"--help", "--json", "--server", "--operator"} // are of every command
	for _, o := range options {
		if !slices.Contains(of, o[1]) && !slices.Contains(shown, o[1]) {
			t.Errorf("%s is not shown", o[1])
		}
	}
}
