package buildcontext

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

const (
	ignoreFile    = ".dockerignore"
	maxIgnoreFile = 1 << 20 // bytes
)

// A Tree is a directory of this machine without what is left out of it.
type Tree struct {
	dir   string
	leave *patternmatcher.PatternMatcher // nil: nothing
}

// Open reads what is to be left out: what .dockerignore says, or, when there is one, the
// file beside the Dockerfile that has its name and .dockerignore behind it. The
// Dockerfile, given by its path within the directory, and these files never are.
func Open(dir, dockerfile string) (*Tree, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return nil, errors.Join(err, fmt.Errorf("%s is no directory", dir))
	}
	t := &Tree{dir: root}
	name := dockerfile + ignoreFile
	patterns, err := t.patterns(name)
	if errors.Is(err, fs.ErrNotExist) {
		name = ignoreFile
		patterns, err = t.patterns(name)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(patterns) == 0 {
		return t, nil
	}
	if err == nil {
		t.leave, err = patternmatcher.New(patterns)
	}
	for _, needed := range []string{dockerfile, name} {
		if err == nil && t.Ignored(needed) {
			patterns = append(patterns, "!"+filepath.ToSlash(needed))
			t.leave, err = patternmatcher.New(patterns)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (t *Tree) patterns(name string) ([]string, error) {
	f, err := os.Open(filepath.Join(t.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ignorefile.ReadAll(io.LimitReader(f, maxIgnoreFile))
}

// Ignored says whether a path within the directory is left out.
func (t *Tree) Ignored(name string) bool {
	if t.leave == nil {
		return false
	}
	out, err := t.leave.MatchesOrParentMatches(filepath.FromSlash(name))
	return err == nil && out
}

// Dirs are the paths of the directories in which there may be something that is not left
// out, the directory itself first.
func (t *Tree) Dirs(ctx context.Context) ([]string, error) {
	dirs := []string{t.dir}
	err := t.walk(ctx, ".", patternmatcher.MatchInfo{}, func(name string, info fs.FileInfo, _ bool) error {
		if info.IsDir() {
			dirs = append(dirs, t.path(name))
		}
		return nil
	})
	return dirs, err
}

// Name is the path within the directory of a path of this machine.
func (t *Tree) Name(file string) string {
	name, err := filepath.Rel(t.dir, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(name)
}

func (t *Tree) path(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

// walk visits everything below a directory, in the order of names, a directory before what
// is in it. What is left out is not visited, but for directories in which something may
// be that is not.
func (t *Tree) walk(ctx context.Context, dir string, above patternmatcher.MatchInfo, visit func(name string, info fs.FileInfo, out bool) error) error {
	entries, err := os.ReadDir(t.path(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, out, here := path.Join(dir, e.Name()), false, patternmatcher.MatchInfo{}
		if t.leave != nil {
			if out, here, err = t.leave.MatchesUsingParentResults(filepath.FromSlash(name), above); err != nil {
				return err
			}
		}
		if out && !(e.IsDir() && t.leave.Exclusions()) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went meanwhile
		}
		if err == nil {
			err = visit(name, info, out)
		}
		if err == nil && e.IsDir() {
			err = t.walk(ctx, name, here, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
