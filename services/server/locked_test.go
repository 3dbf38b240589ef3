package server_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"hubledger/services/server"
	"hubledger/streams"
	"hubledger/streams/disk"
)

// A start on a directory that another hub uses leaves its files alone, also the empty
// read models of one whose log is read-only.
func TestLockedDirectoryStaysAsItIs(t *testing.T) {
	data := t.TempDir()
	lock, err := disk.LockDir(data)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	file := filepath.Join(data, "unbuilt", "images-1.db")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = server.Open(t.Context(), server.Config{Data: data, SecretsKeyFile: filepath.Join(data, "secrets.key"), Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, streams.ErrLocked) {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
