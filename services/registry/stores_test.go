package registry_test

import (
	"os"
	"path/filepath"
	"testing"

	"hubledger/services/internal/operations"
	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
)

// Stores are opened together or not at all, and without blobs where those are not
// asked for.
func TestOpenStores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ops, err := operations.Open(t.Context(), operations.Config{File: filepath.Join(dir, operations.FileName)})
	if err != nil {
		t.Fatal(err)
	}
	defer ops.Close()
	s, err := registry.OpenStores(t.Context(), ops, nil)
	if err != nil || s.Leases == nil || s.Pulls == nil || s.Blobs != nil {
		t.Errorf("without blobs: %+v, %v", s, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = registry.OpenStores(t.Context(), ops, &blobs.Config{Dir: filepath.Join(file, "registry")}); err == nil || s != (registry.Stores{}) {
		t.Errorf("blobs below a file: %+v, %v", s, err)
	}
}
