package cmd

import (
	"strings"
	"testing"

	"hubledger/services/cmd/console"
)

func TestUnknownVariables(t *testing.T) {
	known := []string{"HUBLEDGER_DATA", "HUBLEDGER_LISTEN", "HUBLEDGER_SERVICES"}
	for variable, want := range map[string]string{
		"HUBLEDGER_LISTN=x":                    "HUBLEDGER_LISTN is no setting and has no effect; did you mean HUBLEDGER_LISTEN?",
		"HUBLEDGER_SERVICE=api":                "HUBLEDGER_SERVICE is no setting and has no effect; did you mean HUBLEDGER_SERVICES?",
		"HUBLEDGER_SOMETHING_ELSE=secret":      "HUBLEDGER_SOMETHING_ELSE is no setting and has no effect; `hubledger serve --help` lists the settings",
		"HUBLEDGER_LISTEN=x":                   "",
		"HUBLEDGER_PORT=tcp://10.0.0.1:5050":   "",
		"HUBLEDGER_PORT_5050_TCP_ADDR=1.2.3.4": "",
		"HUBLEDGER_SERVICE_HOST=10.0.0.1":      "",
		"LISTEN=x":                             "",
	} {
		if got := strings.Join(unknownVariables([]string{variable}, known), "\n"); got != want {
			t.Errorf("%s: %q, want %q", variable, got, want)
		}
	}
}

// The program knows the variables of all commands, and says so of others.
func TestVariablesOfThisProgram(t *testing.T) {
	t.Setenv("HUBLEDGER_DATA", t.TempDir())
	t.Setenv("HUBLEDGER_RESERV", "1")
	stdout, stderr, code := runHubledger(t, "version")
	if code != console.ExitOK || stdout == "" || stderr != "hubledger: HUBLEDGER_RESERV is no setting and has no effect; did you mean HUBLEDGER_RESERVE?\n" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

// An empty variable is as one that is not set.
func TestEmptyVariables(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HUBLEDGER_DATA", "")
	t.Setenv("HUBLEDGER_SERVER", "")
	if _, stderr, _ := runHubledger(t, "status"); !strings.Contains(stderr, "hubledger-data") {
		t.Errorf("%q", stderr)
	}
}
