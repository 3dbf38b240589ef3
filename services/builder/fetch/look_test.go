package fetch_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/services/builder/fetch"
)

// look looks, and looks for what is left.
func (w *world) look(s fetch.Source, previous string) (fetch.Look, error) {
	w.T.Helper()
	w.n++
	found, err := w.fetcher.Look(w.T.Context(), fmt.Sprintf("looktest-%d-%d", os.Getpid(), w.n), s, previous, ".hubledger.yml", 1000, limits)
	if left, _ := os.ReadDir(w.fetcher.Dir); len(left) > 0 {
		w.T.Errorf("left: %v", left)
	}
	return found, err
}

// What changed since a commit is told, and one file of the root, whether or not the
// host can leave files out.
func TestLook(t *testing.T) {
	for _, filter := range []string{"true", "false"} {
		w := newWorld(t, "sha1")
		w.Git(filepath.Join(w.Root, "app.git"), "config", "uploadpack.allowFilter", filter)
		first := w.commit("first", "docs/a", "a", "src/b", "b", "gone", "g", "large", strings.Repeat("x", 1<<20))
		w.commit("between", "docs/between", "1")
		os.Remove(filepath.Join(w.Work, "gone"))
		os.Rename(filepath.Join(w.Work, "src/b"), filepath.Join(w.Work, "src/moved"))
		second := w.commit("second", "docs/ü\n", "new", ".hubledger.yml", "version: 1\n")
		w.Push("main")
		found, err := w.look(w.source(second), first)
		want := []string{".hubledger.yml", "docs/between", "docs/ü\n", "gone", "src/b", "src/moved"}
		if slices.Sort(found.Changed); err != nil || !slices.Equal(found.Changed, want) || found.Every != "" || string(found.File) != "version: 1\n" || found.BadFile != "" {
			t.Errorf("filter %s: %+v, %v\n%s", filter, found, err, w.log)
		}
		found, err = w.look(w.source(first), "")
		if err != nil || found.Changed != nil || found.Every != "" || found.File != nil || found.BadFile != "" {
			t.Errorf("filter %s, the first commit: %+v, %v", filter, found, err)
		}
		if found, err = w.look(w.source(second), second); err != nil || len(found.Changed) > 0 || found.Every != "" {
			t.Errorf("filter %s, the same commit: %+v, %v", filter, found, err)
		}
	}
}

// What cannot be compared is said, and so is what cannot be read; a commit that is gone
// is an error.
func TestLookInVain(t *testing.T) {
	w := newWorld(t, "sha1")
	os.Symlink("/etc/passwd", filepath.Join(w.Work, ".hubledger.yml"))
	link := w.commit("link")
	os.Remove(filepath.Join(w.Work, ".hubledger.yml"))
	dir := w.commit("directory", ".hubledger.yml/file", "x")
	os.RemoveAll(filepath.Join(w.Work, ".hubledger.yml"))
	long := w.commit("long", ".hubledger.yml", strings.Repeat("#", 1001))
	var files []string
	for k := range 10_001 {
		files = append(files, fmt.Sprintf("many/%d", k), "")
	}
	many := w.commit("many", files...)
	w.Push("main")
	for commit, want := range map[string]string{link: "no regular file", dir: "no regular file", long: "more than 1000 bytes"} {
		if found, err := w.look(w.source(commit), ""); err != nil || !strings.Contains(found.BadFile, want) || found.File != nil {
			t.Errorf("%s: %+v, %v", want, found, err)
		}
	}
	if found, err := w.look(w.source(many), long); err != nil || !strings.Contains(found.Every, "more than 10000 files") || found.Changed != nil {
		t.Errorf("%q, %d, %v", found.Every, len(found.Changed), err)
	}
	absent := strings.Repeat("0123", 10)
	if found, err := w.look(w.source(many), absent); err != nil || !strings.Contains(found.Every, "does not have 012301230123") {
		t.Errorf("%+v, %v\n%s", found, err, w.log)
	}
	if _, err := w.look(w.source(absent), ""); !errors.Is(err, fetch.ErrGone) {
		t.Error(err)
	}
	if _, err := w.look(w.source(many), "--output=/x"); err == nil {
		t.Error("an option was taken for a commit")
	}
}
