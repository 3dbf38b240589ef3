package streams_test

import (
	"errors"
	"path/filepath"
	"testing"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/restore"
)

func TestSecretsInQuarantine(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir)
	appendN(t, l, 1, 100)
	mustClose(t, l)
	flip(t, dir, 0.5)
	l = mustOpen(t, dir)
	if l.ReadOnly() == nil {
		t.Fatal("the damage was not seen")
	}
	if _, err := streams.OpenSecrets(t.Context(), l, filepath.Join(dir, "secrets.key")); !errors.Is(err, events.ErrReadOnly) {
		t.Fatalf("%v", err)
	}
}

func TestSecretsSurviveARestore(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	key := filepath.Join(dir, "secrets.key")
	l := mustOpen(t, dir)
	appendN(t, l, 1, 10)
	s, err := streams.OpenSecrets(ctx, l, key)
	if err == nil {
		err = s.Put(ctx, "a", []byte("b"))
	}
	if err != nil {
		t.Fatal(err)
	}
	j := journalOf(t, l, 10)
	mustClose(t, l)
	flip(t, dir, 0.5)
	if _, err := restore.Run(ctx, quietRestore(dir), restore.Copy{Entries: j.all}); err != nil {
		t.Fatal(err)
	}
	if s, err = streams.OpenSecrets(ctx, mustOpen(t, dir), key); err != nil {
		t.Fatal(err)
	}
	if value, _, err := s.Get(ctx, "a"); err != nil || string(value) != "b" {
		t.Errorf("%q, %v", value, err)
	}
}
