package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Only the owner can read what the hub stores, even in a data directory that was
// open to others.
func TestFilesAreTheOwners(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	h := startHubOn(t, data)
	organizations(t, h, "acme")
	n := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file that is gone again
		}
		if err == nil && info.Mode().Perm()&0o077 != 0 && (path == data || filepath.Ext(path) == ".db") {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		n++
		return err
	})
	if err != nil || n < 20 {
		t.Errorf("%d files, %v", n, err)
	}
}
