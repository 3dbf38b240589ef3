package api

import (
	"errors"
	"slices"
	"testing"
)

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "MQ", "MWFsaWNlL2FwcA", cursorAt("alice/app"), cursorAt("25"), cursorAt("\x00"), "====", "ä", "Mg"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		place, err := parseCursor(s)
		var p *problem
		if err != nil {
			if !errors.As(err, &p) || p.Status != 422 || place != "" {
				t.Fatalf("%q: %q, %v", s, place, err)
			}
			return
		}
		if s != "" && cursorAt(place) != s {
			t.Fatalf("%q is read as %q, which is written %q", s, place, cursorAt(place))
		}
		if n, err := parseOffset(s); err == nil && (n < 0 || n >= 1000) {
			t.Fatalf("%q is offset %d", s, n)
		}
		if n, err := parseSequence(s); err == nil && s != "" && n == 0 {
			t.Fatalf("%q is sequence 0", s)
		}
	})
}

func TestCursorOfNames(t *testing.T) {
	for _, place := range []string{"alice/app", "0", "999", "x"} {
		if got, err := parseCursor(cursorAt(place)); err != nil || got != place {
			t.Errorf("%q came back as %q, %v", place, got, err)
		}
	}
}

func TestCutNames(t *testing.T) {
	for path, want := range map[string][]string{
		"/api/v1/repositories/alice":               nil,
		"/api/v1/repositories/alice/app":           {"app"},
		"/api/v1/repositories/team/group/app/tags": {"group", "app", "tags"},
		"/v2/repositories/library/busybox":         {"busybox"},
		"/v2/namespaces/acme/repositories/a%2Fb/c": {"a%2Fb", "c"},
		"/v2/namespaces/acme/other/a":              nil,
		"/v2/users/login":                          nil,
	} {
		_, tail, ok := cutNames(path)
		if !slices.Equal(tail, want) || ok != (want != nil) {
			t.Errorf("%s: %q, %v, want %q", path, tail, ok, want)
		}
	}
}

func TestTerm(t *testing.T) {
	for text, want := range map[string]string{
		"app": "app", "library/busybox": "busybox", "hub.example:5050/app": "app", "hub.example:5050/library/busybox": "busybox",
		"localhost/app": "app", "localhost:5050/a/b": "a/b", "alice/app": "alice/app", "registry/app": "app", " app ": "app", "": "", "10.0.0.1/x": "x",
	} {
		if got := term(text, "registry"); got != want {
			t.Errorf("%q is searched as %q, want %q", text, got, want)
		}
	}
}
