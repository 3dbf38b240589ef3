package builds

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
)

var lines = map[string][]span{
	"plain\ttext":                                         {{"", "plain\ttext"}},
	"\x1b[31mred\x1b[0m not":                              {{"sgr-red", "red"}, {"", " not"}},
	"\x1b[1;92mok\x1b[22m thin\x1b[39m.":                  {{"sgr-green sgr-bold", "ok"}, {"sgr-green", " thin"}, {"", "."}},
	"\x1b[38;5;196mone\x1b[38;2;1;2;31mtwo":               {{"", "one"}, {"", "two"}},
	"10%\r20%\r100%\r":                                    {{"", "100%"}},
	"\x1b[2K\x1b[1Aup":                                    {{"", "up"}},
	"\x1b]8;;https://evil.example\x07link\x1b]8;;\x1b\\.": {{"", "link"}, {"", "."}},
	"<script>\x00alert(1)":                                {{"", "<script>alert(1)"}},
	"\x1b":                                                nil,
	"\x1b[31":                                             nil,
}

func TestColours(t *testing.T) {
	for text, want := range lines {
		got := coloured(text)
		if joined(got) != joined(want) || len(text) < 20 && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func joined(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// No control character of a log comes into a page, and no class but those of the style
// sheet.
func FuzzColours(f *testing.F) {
	f.Add("\x1b[31;1mx\x1b]0;title\x07y\x1b[999mz")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range coloured(text) {
			if strings.IndexFunc(s.Text, func(r rune) bool { return r < 0x80 && unicode.IsControl(r) && r != '\t' }) >= 0 {
				t.Errorf("%q shows %q", text, s.Text)
			}
			for _, class := range strings.Fields(s.Class) {
				if !strings.HasPrefix(class, "sgr-") || len(class) > 11 {
					t.Errorf("%q has the class %q", text, class)
				}
			}
		}
	})
}
