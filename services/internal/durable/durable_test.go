package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, content := range []string{"old", "new"} {
		if err := ReplaceFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		onlyFileIs(t, path, content)
	}
	if err := ReplaceFile(filepath.Join(path, "below"), nil, 0o600); err == nil {
		t.Error("a file in a directory that is none is written")
	}
}

// The directory is synced after the rename, and whoever asked hears of its error.
func TestReplaceFileSyncsTheDirectory(t *testing.T) {
	path, broken := filepath.Join(t.TempDir(), "file"), errors.New("the disk is broken")
	if err := ReplaceFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var synced []string
	err := replaceFile(path, []byte("new"), 0o600, func(dir string) error {
		onlyFileIs(t, path, "new")
		synced = append(synced, dir)
		return broken
	})
	if len(synced) != 1 || synced[0] != filepath.Dir(path) || !errors.Is(err, broken) {
		t.Errorf("synced %q, %v", synced, err)
	}
	onlyFileIs(t, path, "new")
	if err := syncDirectory(path + ".missing"); err == nil {
		t.Error("a directory that is missing is synced")
	}
}

// onlyFileIs fails the test unless path has that content and its directory has
// nothing else.
func onlyFileIs(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s: %q, %v; want %q", path, got, err, content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v", path, info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}
