package markdown_test

import (
	"strings"
	"testing"

	"hubledger/services/api/markdown"
)

func TestRelativeLinks(t *testing.T) {
	const at = "0123456789abcdef0123456789abcdef01234567"
	r := markdown.New()
	for _, c := range []struct{ source, revision, text, want string }{
		{"https://github.com/acme/app.git", "", "[a](docs/a.md#x)", `href="https://github.com/acme/app/blob/HEAD/docs/a.md#x"`},
		{"https://github.com/acme/app", at, "[a](/LICENSE)", `href="https://github.com/acme/app/blob/` + at + `/LICENSE"`},
		{"https://gitlab.com/acme/group/app", "main", "![a](./logo.png)", `src="https://gitlab.com/acme/group/app/-/raw/HEAD/logo.png"`},
		{"https://codeberg.org/acme/app", at, "[a](b%20c)", `href="https://codeberg.org/acme/app/src/commit/` + at + `/b%20c"`},
		{"https://bitbucket.org/acme/app", "", `<a href="x?y=1">a</a>`, `href="https://bitbucket.org/acme/app/src/HEAD/x?y=1"`},
		{"https://github.com/acme/app", "", "[a](#x)", `href="#user-content-x"`},
		{"https://github.com/acme/app", "", "[a](https://example.org/)", `href="https://example.org/"`},
	} {
		got, err := r.HTML(t.Context(), "repository", c.text, markdown.BaseOf(c.source, c.revision))
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s of %s: %s, %v; wanted %s", c.text, c.source, got, err, c.want)
		}
	}
	for _, text := range []string{"[a](../../../../etc)", "[a](//elsewhere.example/x)", "[a](javascript:alert)", "[a](..)"} {
		got, err := r.HTML(t.Context(), "repository", text, markdown.BaseOf("https://github.com/acme/app", ""))
		if err != nil || strings.Contains(got, "href") {
			t.Errorf("%s leads out of the repository: %s, %v", text, got, err)
		}
	}
	for _, source := range []string{"", "http://github.com/acme/app", "https://user:secret@github.com/acme/app", "https://example.org/acme/app", "https://github.com/acme", "javascript:alert(1)"} {
		if b := markdown.BaseOf(source, ""); b != nil {
			t.Errorf("%q has the base %s", source, b)
		}
	}
	for text, want := range map[string]bool{"[a](b.md)": true, "[a]: docs/b": true, `<img src="x.png">`: true, "[a](https://x/y)": false, "[a](#b)": false, "text": false, "[a](mailto:b@c)": false} {
		if got := markdown.HasRelative(text); got != want {
			t.Errorf("%q is relative: %t", text, got)
		}
	}
}
