package driver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Places are the paths of a build within its checkout, without symbolic links and
// separated by slashes: "." is the checkout.
type Places struct{ Context, Dockerfile string }

// Find looks for context and Dockerfile in the checkout. A failure of the kind
// Source or Dockerfile: they may be symbolic links, but never lead out of it.
func (s *Spec) Find() (p Places, err error) {
	root, err := filepath.EvalSymlinks(s.Checkout)
	if err != nil {
		return p, Failuref(Broken, "find the checkout: %w", err)
	}
	if p.Context, err = within(root, s.Context, Source, "the context", fs.FileMode.IsDir); err != nil {
		return p, err
	}
	file := s.Dockerfile
	if file == "" {
		file = path.Join(s.Context, "Dockerfile")
	}
	p.Dockerfile, err = within(root, file, Dockerfile, "the Dockerfile", fs.FileMode.IsRegular)
	return p, err
}

// within is a path of root without symbolic links. Nothing outside of root is looked
// at: whether something is there is nobody's business.
func within(root, name string, kind Kind, what string, is func(fs.FileMode) bool) (string, error) {
	if strings.ContainsRune(name, 0) || len(name) > 4096 {
		return "", Failuref(kind, "%s: %.80q is no path", what, name)
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	dir, err := os.OpenRoot(root)
	if err != nil {
		return "", Failuref(Broken, "open the checkout: %w", err)
	}
	defer dir.Close()
	info, err := dir.Stat(filepath.FromSlash(clean))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", Failuref(kind, "%s: there is no %q in the repository", what, name)
	case err != nil:
		return "", &Failure{Kind: kind, Text: fmt.Sprintf("%s: %q leads out of the repository, or cannot be read", what, name), Err: err}
	case !is(info.Mode()):
		return "", Failuref(kind, "%s: %q is a %s", what, name, kindOf(info.Mode()))
	}
	found, err := filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(clean)))
	if err != nil {
		return "", Failuref(Broken, "resolve a path of the checkout: %w", err)
	}
	rel, err := filepath.Rel(root, found)
	if err != nil || !filepath.IsLocal(rel) {
		return "", Failuref(kind, "%s: %q leads out of the repository", what, name)
	}
	return filepath.ToSlash(rel), nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode.IsRegular():
		return "file"
	}
	return "special file"
}

// Root is the checkout without symbolic links.
func (s *Spec) Root() (string, error) { return filepath.EvalSymlinks(s.Checkout) }
