package dockerhub

import "testing"

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
