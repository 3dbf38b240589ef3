package buildrule

import (
	"fmt"
	"path"
	"strings"

	"hubledger/services/internal/plaintext"
)

// badPath says why a text cannot be a path of a repository, "" when it can. A
// leading slash does not count.
func badPath(p string) string {
	switch {
	case len(p) > MaxPath:
		return fmt.Sprintf("a path has at most %d bytes", MaxPath)
	case !plaintext.IsLine(p):
		return "a path is one line of UTF-8 without control characters"
	case strings.Contains(p, `\`):
		return `components of a path are parted by /, not by \`
	}
	return ""
}

const leaves = "a path does not leave the repository by .."

// badInside is badPath, and refuses every "..".
func badInside(p string) string {
	if why := badPath(p); why != "" {
		return why
	}
	for component := range strings.SplitSeq(p, "/") {
		if component == ".." {
			return leaves
		}
	}
	return ""
}

// inside is a path in its shortest form from the root of the repository, "." for the
// root itself.
func inside(p string) string {
	if p = path.Clean("/" + p)[1:]; p == "" {
		return "."
	}
	return p
}

// badDockerfile says why a Dockerfile cannot be at a path from a context, "" when it
// can. It may be beside the context, but not outside of the repository.
func badDockerfile(context, dockerfile string) string {
	if why := badPath(dockerfile); why != "" {
		return why
	}
	if p := path.Join(inside(context), dockerfile); p == ".." || strings.HasPrefix(p, "../") {
		return leaves
	}
	return ""
}

// Locate is the Dockerfile and the build context of a rule in a checkout, as slash
// paths from its root; "." is the root. isFile says what a path of the checkout is.
// A context that is a file is the Dockerfile, and its directory the context; a
// Dockerfile that is a directory has the Dockerfile in it. Both were so on Docker Hub.
func Locate(r Rule, isFile func(path string) bool) (dockerfile, context string) {
	context = inside(r.Context)
	if context != "." && isFile(context) {
		return context, path.Dir(context)
	}
	dockerfile = inside(path.Join(context, r.Dockerfile))
	if inside(r.Dockerfile) == "." || strings.HasSuffix(r.Dockerfile, "/") || !isFile(dockerfile) && isFile(path.Join(dockerfile, "Dockerfile")) {
		dockerfile = path.Join(dockerfile, "Dockerfile")
	}
	return dockerfile, context
}

// badGlob says why a path filter cannot be one, "" when it can.
func badGlob(glob string) string {
	text := strings.TrimPrefix(glob, "!")
	if text == "" {
		return "it is empty"
	}
	if why := badInside(text); why != "" {
		return why
	}
	for component := range strings.SplitSeq(text, "/") {
		if _, err := path.Match(component, ""); err != nil {
			return "a [ in it is never closed, or closed too early"
		}
	}
	return ""
}

// passes says whether one of the files passes the filters, and which did. Filters that
// begin by taking files out begin with every file. It takes its comparisons from the
// budget; when that is below 0 the answer means nothing.
func passes(globs, changed []string, budget *int) (file string, ok bool) {
	for _, f := range changed {
		name, in := strings.Split(inside(f), "/"), strings.HasPrefix(globs[0], "!")
		for _, glob := range globs {
			text, out := strings.CutPrefix(glob, "!")
			if in == out && matches(strings.Split(inside(text), "/"), name, budget) {
				in = !out
			}
		}
		if in {
			return f, true
		}
	}
	return "", false
}

// matches says whether the components of a glob match those of a name, in at most
// len(glob)*len(name) comparisons: reach[j] says that the glob so far can have taken
// the first j components. A glob that names a directory takes all that is in it.
func matches(glob, name []string, budget *int) bool {
	if *budget -= len(glob) * (len(name) + 1); *budget < 0 {
		return false
	}
	reach := make([]bool, len(name)+1)
	reach[0] = true
	for _, g := range glob {
		next := make([]bool, len(name)+1)
		for j, ok := range reach {
			switch {
			case g == "**":
				next[j] = ok || j > 0 && next[j-1]
			case ok && j < len(name):
				next[j+1], _ = path.Match(g, name[j])
			}
		}
		reach = next
	}
	if len(glob) > 0 && !strings.ContainsAny(glob[len(glob)-1], "*?[") {
		for _, ok := range reach {
			if ok {
				return true
			}
		}
	}
	return reach[len(name)]
}
