package plaintext_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"hubledger/services/internal/plaintext"
)

func coloured(t testing.TB, keep bool, pieces ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := plaintext.ColourWriter{W: &out, Keep: keep}
	for _, p := range pieces {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Colours, and nothing else that acts on a terminal, go through to one, and are left out
// elsewhere; also where two pieces split them.
func TestColours(t *testing.T) {
	for text, want := range map[string]struct{ kept, dropped string }{
		"plain\n":                         {"plain\n", "plain\n"},
		"\x1b[31mred\x1b[0m\n":            {"\x1b[31mred\x1b[0m\n", "red\n"},
		"\x1b[1;38;2;255;0;0mred\x1b[m":   {"\x1b[1;38;2;255;0;0mred\x1b[m", "red"},
		"\x1b[4:3mcurly":                  {"\x1b[4:3mcurly\x1b[0m", "curly"},
		"\x1b[2Jgone":                     {`\u001b[2Jgone`, `\u001b[2Jgone`},
		"\x1b]0;owned\x07":                {`\u001b]0;owned\u0007`, `\u001b]0;owned\u0007`},
		"\x1b[?25l":                       {`\u001b[?25l`, `\u001b[?25l`},
		"\x1b[>4;1m":                      {`\u001b[>4;1m`, `\u001b[>4;1m`},
		"\x1b[31\x1b[32mx":                {"\\u001b[31\x1b[32mx\x1b[0m", `\u001b[31x`},
		"\x1b\x1b[31mx":                   {"\\u001b\x1b[31mx\x1b[0m", `\u001bx`},
		"\x1b[" + strings.Repeat("1", 99): {`\u001b[` + strings.Repeat("1", 99), `\u001b[` + strings.Repeat("1", 99)},
		"cut \x1b[3":                      {`cut \u001b[3`, `cut \u001b[3`},
		"\u009b31mx":                      {`\u009b31mx`, `\u009b31mx`},
	} {
		var bytewise []string
		for k := range len(text) {
			bytewise = append(bytewise, text[k:k+1])
		}
		if strings.Contains(text, "\u009b") {
			bytewise = []string{text} // a character that two calls split is two that are no UTF-8, as of Writer
		}
		for _, pieces := range [][]string{{text}, bytewise} {
			if got := coloured(t, true, pieces...); got != want.kept {
				t.Errorf("%q on a terminal: %q, want %q", text, got, want.kept)
			}
			if got := coloured(t, false, pieces...); got != want.dropped {
				t.Errorf("%q elsewhere: %q, want %q", text, got, want.dropped)
			}
		}
	}
}

// Whatever is written, a terminal gets no other escape than colours, and a file none.
func FuzzColours(f *testing.F) {
	for _, s := range []string{"\x1b[31mred\x1b[0m", "\x1b[\x1b[m\x1b", "\x1b[2J\x1b]0;x\x07", "é\x9b1m"} {
		f.Add(s, 3)
	}
	sgr := regexp.MustCompile("\x1b\\[[0-9:;]*m")
	f.Fuzz(func(t *testing.T, text string, cut int) {
		cut = max(0, min(cut, len(text)))
		for _, keep := range []bool{true, false} {
			got := coloured(t, keep, text[:cut], text[cut:])
			if keep {
				got = sgr.ReplaceAllString(got, "")
			}
			for _, line := range strings.FieldsFunc(got, func(r rune) bool { return r == '\n' || r == '\t' }) {
				if !plaintext.IsLine(line) {
					t.Errorf("%q is written as %q", text, got)
				}
			}
		}
	})
}
