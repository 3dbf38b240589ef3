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
			t.note("%s was taken for a name: if it is a pattern, write /%s/", quoted(s), shown(s))
		}
		return s
	}
	t.note("%s was taken for a pattern: it is /%s/", quoted(s), shown(s))
	return "/" + s + "/"
}

// paths leaves out what is so by default, and resolves a blank context: then the
// Dockerfile is a path from the root of the repository, and its directory is the
// context.
func (t *table) paths(dockerfile, context string, given bool) (string, string) {
	file := inside(dockerfile)
	switch {
	case !given || context != "":
		if context != "" && inside(context) == "." {
			context = ""
		}
		if file == "." || file == "Dockerfile" {
			return "", context
		}
		return strings.TrimPrefix(dockerfile, "/"), context
	case file == ".":
		return "", ""
	case !strings.Contains(strings.ToLower(path.Base(file)), "dockerfile"):
		// As a context it means the same, whether it is a file or a directory.
		t.note("the build context is blank: it is %s, or its directory if that is a Dockerfile", shown(file))
		return "", file
	}
	if context, dockerfile = path.Dir(file), path.Base(file); context == "." {
		context = ""
	} else {
		t.note("the build context is blank: it is %s, the directory of the Dockerfile", shown(context))
	}
	if dockerfile == "Dockerfile" {
		dockerfile = ""
	}
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
		t.note("%s is %s, neither on nor off, and was taken to be on", what, quoted(text))
	}
	return true
}
