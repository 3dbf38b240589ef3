package console

import (
	"strings"
	"testing"
)

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
