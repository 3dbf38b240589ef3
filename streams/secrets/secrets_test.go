package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/secrets"
	"hubledger/streams/streamtest"
)

func mustClose(t *testing.T, l *streams.Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func openSecrets(t *testing.T, l *streams.Log, keyFile string) *secrets.Bucket {
	t.Helper()
	s, err := streams.OpenSecrets(t.Context(), l, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecrets(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	key := filepath.Join(dir, "secrets.key")
	l := streamtest.Open(t, dir)
	s := openSecrets(t, l, key)
	if _, _, err := s.Get(ctx, "user.a.password"); !errors.Is(err, secrets.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("of nothing: %v", err)
	}
	if err := s.Put(ctx, "user.a.password", []byte("planted-1")); err != nil {
		t.Fatal(err)
	}
	value, revision, err := s.Get(ctx, "user.a.password")
	if err != nil || string(value) != "planted-1" {
		t.Fatalf("%q, %v", value, err)
	}
	next, err := s.Update(ctx, "user.a.password", []byte("planted-2"), revision)
	if err != nil || next <= revision {
		t.Fatalf("revision %d after %d, %v", next, revision, err)
	}
	for name, at := range map[string]uint64{"an old revision": revision, "none": 0} {
		if _, err := s.Update(ctx, "user.a.password", []byte("x"), at); !errors.Is(err, secrets.ErrConflict) || !errors.Is(err, events.ErrConflict) {
			t.Errorf("update of %s: %v", name, err)
		}
	}
	largest := bytes.Repeat([]byte{'x'}, secrets.MaxSize)
	if err := s.Put(ctx, "user.b.email", largest); err != nil {
		t.Fatal(err)
	}
	if value, _, err := s.Get(ctx, "user.b.email"); err != nil || !bytes.Equal(value, largest) {
		t.Fatalf("%d bytes, %v", len(value), err)
	}
	if err := s.Put(ctx, "user.b.email", append(largest, 'x')); err == nil {
		t.Error("a secret that is too large was stored")
	}
	keys, err := s.Keys(ctx, "user.")
	slices.Sort(keys)
	if err != nil || !slices.Equal(keys, []string{"user.a.password", "user.b.email"}) {
		t.Fatalf("%q, %v", keys, err)
	}
	if err := s.Destroy(ctx, "user.b.email"); err != nil {
		t.Fatal(err)
	}
	if err := s.Destroy(ctx, "user.b.email"); err != nil {
		t.Errorf("destroyed again: %v", err)
	}
	if _, _, err := s.Get(ctx, "user.b.email"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("destroyed: %v", err)
	}
	if keys, err := s.Keys(ctx, ""); err != nil || !slices.Equal(keys, []string{"user.a.password"}) {
		t.Errorf("%q, %v", keys, err)
	}
	if _, err := s.Update(ctx, "user.b.email", []byte("again"), 0); err != nil {
		t.Errorf("made again: %v", err)
	}
	for _, bad := range []string{"", ".", "a.", ".a", "a.*", ">", "a b", "a..b", "ä", strings.Repeat("x", 201)} {
		if err := s.Put(ctx, bad, nil); err == nil {
			t.Errorf("stored under %q", bad)
		}
		if _, _, err := s.Get(ctx, bad); err == nil {
			t.Errorf("read %q", bad)
		}
	}

	mustClose(t, l)
	s = openSecrets(t, streamtest.Open(t, dir), key)
	if value, _, err := s.Get(ctx, "user.a.password"); err != nil || string(value) != "planted-2" {
		t.Fatalf("after a restart: %q, %v", value, err)
	}
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if data, _ := os.ReadFile(path); bytes.Contains(data, []byte("planted")) {
			t.Errorf("%s has a secret in the clear", path)
		}
		return err
	})
}

func TestSecretsKeyFile(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	key := filepath.Join(dir, "secrets.key")
	l := streamtest.Open(t, dir)
	openSecrets(t, l, key)
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	good, err := os.ReadFile(key)
	if err != nil || !strings.Contains(string(good), "Back this file up APART") {
		t.Fatalf("%s, %v", good, err)
	}
	try := func(name, want string) {
		t.Helper()
		_, err := streams.OpenSecrets(ctx, l, key)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	os.Chmod(key, 0o640)
	try("readable by the group", "chmod 600")
	os.Remove(key)
	try("missing", "put it back")
	if _, err := os.Stat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a new key was made beside secrets that it does not open")
	}
	os.WriteFile(key, []byte("AGE-SECRET-KEY-1BROKEN\n"), 0o600)
	try("broken", "one age identity")
	other := t.TempDir()
	openSecrets(t, streamtest.Open(t, other), filepath.Join(other, "k"))
	foreign, _ := os.ReadFile(filepath.Join(other, "k"))
	os.WriteFile(key, foreign, 0o600)
	try("another's", "not the one")
	if _, err := streams.OpenSecrets(ctx, l, key); !errors.Is(err, secrets.ErrKey) {
		t.Errorf("another's: %v", err)
	}
	os.WriteFile(key, good, 0o600)
	openSecrets(t, l, key)
}

func TestSecretIsBoundToItsName(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	key := filepath.Join(dir, "secrets.key")
	l := streamtest.Open(t, dir)
	if err := openSecrets(t, l, key).Put(ctx, "user.mallory.password", []byte("known")); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	streamtest.BareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
		kv, err := js.KeyValue(ctx, "SECRETS")
		if err != nil {
			return err
		}
		e, err := kv.Get(ctx, "user.mallory.password")
		if err != nil {
			return err
		}
		_, err = kv.Put(ctx, "user.admin.password", e.Value())
		return err
	})
	s := openSecrets(t, streamtest.Open(t, dir), key)
	if _, _, err := s.Get(ctx, "user.admin.password"); !errors.Is(err, secrets.ErrKey) {
		t.Errorf("moved: %v", err)
	}
	if value, _, err := s.Get(ctx, "user.mallory.password"); err != nil || string(value) != "known" {
		t.Errorf("%q, %v", value, err)
	}
}

func TestSecretsReadOnly(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	key := filepath.Join(dir, "secrets.key")
	l := streamtest.Open(t, dir)
	l.SetReadOnly(errors.New("a test"))
	if _, err := streams.OpenSecrets(ctx, l, key); !errors.Is(err, events.ErrReadOnly) {
		t.Fatalf("made in a read-only log: %v", err)
	}
	mustClose(t, l)
	l = streamtest.Open(t, dir)
	s := openSecrets(t, l, key)
	if err := s.Put(ctx, "a", []byte("b")); err != nil {
		t.Fatal(err)
	}
	l.SetReadOnly(errors.New("a test"))
	for name, err := range map[string]error{"put": s.Put(ctx, "a", nil), "destroy": s.Destroy(ctx, "a"),
		"update": func() error { _, err := s.Update(ctx, "c", nil, 0); return err }()} {
		if !errors.Is(err, events.ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := streams.OpenSecrets(ctx, l, key)
	if err != nil {
		t.Fatal(err)
	}
	if value, _, err := s.Get(ctx, "a"); err != nil || string(value) != "b" {
		t.Errorf("%q, %v", value, err)
	}
}

func TestSecretsOnServersElsewhere(t *testing.T) {
	l := streamtest.OpenConfig(t, streams.Config{Dir: t.TempDir(), URL: streamtest.Server(t), Replicas: 1, MaxBytes: 1 << 30})
	ctx, key := t.Context(), filepath.Join(t.TempDir(), "secrets.key")
	a, b := openSecrets(t, l, key), openSecrets(t, l, key)
	for i := range 20 {
		value := []byte{byte(i)}
		if err := a.Put(ctx, "user.a.password", value); err != nil {
			t.Fatal(err)
		}
		got, revision, err := b.Get(ctx, "user.a.password")
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%v after %v, %v", got, value, err)
		}
		if _, err := b.Update(ctx, "user.a.password", value, revision); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Update(ctx, "user.a.password", value, revision); !errors.Is(err, secrets.ErrConflict) {
			t.Fatalf("both have changed one revision: %v", err)
		}
	}
	if err := a.Destroy(ctx, "user.a.password"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Get(ctx, "user.a.password"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("destroyed by the other one: %v", err)
	}
}
