package plaintext_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"hubledger/services/internal/plaintext"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                     "plain",
		"Grüße, 世界":                 "Grüße, 世界",
		"می\u200cخواهم 👩\u200d💻":    "می\u200cخواهم 👩\u200d💻",
		"\x1b[2J\x1b]0;t\x07":       `\u001b[2J\u001b]0;t\u0007`,
		"a\nb\tc\rd":                `a\u000ab\u0009c\u000dd`,
		"\u202egpj.exe":             `\u202egpj.exe`,
		"\u009b31m":                 `\u009b31m`,
		"bad \x9b31m":               "bad \ufffd31m",
		"\u2066x\u2069\u2028\ufeff": `\u2066x\u2069\u2028\ufeff`,
		"\U000e0041":                `\udb40\udc41`,
	} {
		if got := plaintext.Line(text); got != want || plaintext.IsLine(text) != (text == want) || !plaintext.IsLine(got) {
			t.Errorf("%q: %q, want %q; is a line: %t", text, got, want, plaintext.IsLine(text))
		}
	}
}

// Nothing unsafe comes through, and JSON means what it did.
func FuzzWriter(f *testing.F) {
	for _, seed := range []string{"", "plain\n", "\x1b[31m", "\u202e", "a\xffb", "\U000e0041", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		if n, err := (plaintext.Writer{W: &out}).Write([]byte(s)); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
		if rest := strings.NewReplacer("\n", "", "\t", "").Replace(out.String()); !plaintext.IsLine(rest) {
			t.Fatalf("%q is written as %q", s, out.String())
		}
		if !utf8.ValidString(s) {
			return
		}
		var encoded bytes.Buffer
		e := json.NewEncoder(&encoded)
		e.SetEscapeHTML(false)
		if err := e.Encode(map[string]string{s: s}); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		plaintext.Writer{W: &out}.Write(encoded.Bytes())
		var back map[string]string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || !reflect.DeepEqual(back, map[string]string{s: s}) {
			t.Fatalf("%q in JSON is written as %q, %v", s, out.String(), err)
		}
	})
}
