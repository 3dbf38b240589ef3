package dockerhub

import (
	"strings"
	"testing"
)

func TestTerm(t *testing.T) {
	for text, want := range map[string]string{
		"app": "app", "library/busybox": "busybox", "hub.example:5050/app": "app", "hub.example:5050/library/busybox": "busybox",
		"localhost/app": "app", "localhost:5050/a/b": "a/b", "alice/app": "alice/app", "registry/app": "app", " app ": "app", "": "", "10.0.0.1/x": "x",
		"localhost:5050/alice/app:1.0": "alice/app", "hub.example/library/app:latest": "app", "app:1.0": "app", "key: value": "key: value",
		"localhost:5050/alice/app:1.0@sha256:" + strings.Repeat("a", 64): "alice/app", "registry/app@sha256:" + strings.Repeat("a", 64): "app", ":": ":",
	} {
		if got := term(text, "registry"); got != want {
			t.Errorf("%q is searched as %q, want %q", text, got, want)
		}
	}
}
