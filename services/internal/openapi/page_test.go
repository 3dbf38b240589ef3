package openapi

import (
	"errors"
	"testing"

	"hubledger/services/internal/endpoint"
)

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "MQ", "MWFsaWNlL2FwcA", CursorAt("alice/app"), CursorAt("25"), CursorAt("\x00"), "====", "ä", "Mg"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		place, err := ParseCursor(s)
		var p *endpoint.Problem
		if err != nil {
			if !errors.As(err, &p) || p.Status != 422 || place != "" {
				t.Fatalf("%q: %q, %v", s, place, err)
			}
			return
		}
		if s != "" && CursorAt(place) != s {
			t.Fatalf("%q is read as %q, which is written %q", s, place, CursorAt(place))
		}
		if n, err := ParseOffset(s); err == nil && (n < 0 || n >= 1000) {
			t.Fatalf("%q is offset %d", s, n)
		}
		if n, err := ParseSequence(s); err == nil && s != "" && n == 0 {
			t.Fatalf("%q is sequence 0", s)
		}
	})
}

func TestCursorOfNames(t *testing.T) {
	for _, place := range []string{"alice/app", "0", "999", "x"} {
		if got, err := ParseCursor(CursorAt(place)); err != nil || got != place {
			t.Errorf("%q came back as %q, %v", place, got, err)
		}
	}
}
