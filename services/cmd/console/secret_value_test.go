package console

import (
	"strings"
	"testing"
)

// Standard input without --from-file is one line, and nothing of a value is dropped.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{"value": "value", "value\n": "value", "value\r\n": "value", "a b ": "a b "} {
		if got, err := oneLine(strings.NewReader(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{"-----BEGIN\nkey\n": "--from-file", "value\n\n": "--from-file", "": "is empty", "\n": "is empty", "a\x00b\n": "base64", "\xff": "base64"} {
		if got, err := oneLine(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}
