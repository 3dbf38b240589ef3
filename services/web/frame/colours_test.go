package frame_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"hubledger/services/web/frame"
	"hubledger/services/web/webtest"
)

func TestColours(t *testing.T) {
	for text, want := range webtest.Colours {
		got := frame.Coloured(text)
		if joined(got) != joined(want) || len(text) < 20 && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func joined(spans []frame.Span) string {
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
		for _, s := range frame.Coloured(text) {
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
