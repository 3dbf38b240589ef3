package gitremote

import (
	"errors"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://github.com/acme/app.git":         "https://github.com/acme/app.git",
		"https://GitHub.com/acme/app":             "https://github.com/acme/app",
		"http://git.example.com:3000/acme/app":    "http://git.example.com:3000/acme/app",
		"ssh://git@git.example.com:2222/acme/app": "ssh://git@git.example.com:2222/acme/app",
		"ssh://git.example.com/acme/app":          "ssh://git@git.example.com/acme/app",
		"git@github.com:acme/app.git":             "git@github.com:acme/app.git",
		"github.com:acme/app.git":                 "git@github.com:acme/app.git",
		"alice@git.example.com:/srv/app.git":      "ssh://alice@git.example.com/srv/app.git",
		"git@[fd00::1]:acme/app":                  "git@[fd00::1]:acme/app",
		"https://git.example.com/ünï/app":         "https://git.example.com/%C3%BCn%C3%AF/app",
	} {
		u, err := ParseURL(text)
		if err != nil || u.String() != want {
			t.Errorf("%s: %s, %v", text, u, err)
			continue
		}
		if again, err := ParseURL(u.String()); err != nil || again != u {
			t.Errorf("%s: read again %+v, %v", text, again, err)
		}
	}
	for _, text := range []string{
		"", "github.com/acme/app", "https://", "https://github.com", "https://github.com/", "file:///etc", "git://github.com/a/b", "ext::sh -c id",
		"https://alice:secret@github.com/acme/app", "https://token@github.com/acme/app", "ssh://git:secret@github.com/acme/app",
		"https://github.com/acme/app?x=1", "https://github.com/acme/app#main", "https://github.com/acme/app?", "https://github.com/a b", "https://github.com/a\x00b",
		"https://github.com/../etc", "ssh://-oProxyCommand=id/x", "-oProxyCommand=id:x", "git@-x:y", "ssh://-x@host/y", "git@host:-x", "/srv/app.git", "../app",
		"https://github.com/%00", "https://github.com/" + strings.Repeat("x", 1000), "https://gith\u202eub.com/a",
	} {
		if u, err := ParseURL(text); !errors.Is(err, ErrURL) {
			t.Errorf("%q is taken as %q: %v", text, u, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}
