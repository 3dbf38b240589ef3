package buildrule

import (
	"path"
	"strings"
)

// source takes a pattern without slashes for one too, as Docker's own page on moving
// writes them: most have characters that no ref's name has.
func (t *table) source(s string) string {
	switch {
	case isPattern(s):
		return s
	case refName(s) == "" && !strings.ContainsAny(s, "$|()"):
		if strings.ContainsRune(s, '+') {
			t.note("%q was taken for a name: if it is a pattern, write /%s/", shown(s), shown(s))
		}
		return s
	}
	t.note("%q was taken for a pattern: it is /%s/", shown(s), shown(s))
	return "/" + s + "/"
}

// paths resolves what the Hub's columns left unsaid: a blank context is the directory
// of the Dockerfile, and a Dockerfile that is a directory has the Dockerfile in it.
func (t *table) paths(dockerfile, context string, given bool) (string, string) {
	if dockerfile == "" || strings.HasSuffix(dockerfile, "/") {
		dockerfile += "Dockerfile"
	}
	dockerfile = strings.TrimPrefix(dockerfile, "/")
	switch {
	case context != "" || !given:
		return dockerfile, context
	case path.Dir(dockerfile) == ".":
		return dockerfile, "/"
	}
	context = "/" + path.Dir(dockerfile)
	t.note("the build context is blank: it is %s, the directory of the Dockerfile", shown(context))
	return dockerfile, context
}

func (t *table) toggle(what, text string) bool {
	switch strings.ToLower(text) {
	case "on", "true", "yes", "enabled", "✓", "✔":
		return true
	case "off", "false", "no", "disabled", "✗", "✘":
		return false
	case "":
		t.note("%s is not in the paste and was taken to be on: switches are often not copied with the page", what)
	default:
		t.note("%s is %q, neither on nor off, and was taken to be on", what, shown(text))
	}
	return true
}
