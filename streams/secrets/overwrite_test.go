package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/secrets"
	"hubledger/streams/streamtest"
)

// What is destroyed or replaced is in no file any more, not even encrypted.
func TestSecretsLeaveTheDisk(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "secrets.key")
	var sealed [][]byte // the records of what is to go, then that of what stays
	remember := func(names ...string) {
		streamtest.BareServer(t, dir, func(ctx context.Context, js jetstream.JetStream) error {
			kv, err := js.KeyValue(ctx, "SECRETS")
			if err != nil {
				return err
			}
			for _, name := range names {
				e, err := kv.Get(ctx, name)
				if err != nil {
					return err
				}
				sealed = append(sealed, e.Value())
			}
			return nil
		})
	}
	heads := 0 // how many records of any kind the files have
	onDisk := func() (n []int) {
		heads = 0
		n = make([]int, len(sealed))
		check(filepath.WalkDir(filepath.Join(dir, "nats"), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			heads += bytes.Count(data, []byte("age-encryption.org/v1"))
			for k := range sealed {
				// The head of a record is the same in all; its end is its own.
				n[k] += bytes.Count(data, sealed[k][len(sealed[k])-64:])
			}
			return err
		}))
		return n
	}
	l := streamtest.Open(t, dir)
	s := openSecrets(t, l, key)
	for _, name := range []string{"user.a.email", "user.a.password", "user.b.password", "user.c.password"} {
		check(s.Put(ctx, name, []byte("of "+name)))
	}
	mustClose(t, l)
	remember("user.a.email", "user.a.password", "user.b.password", "user.c.password")
	if n := onDisk(); !slices.Equal(n, []int{1, 1, 1, 1}) {
		t.Fatalf("the files have %d of each before", n)
	}
	l = streamtest.Open(t, dir)
	s = openSecrets(t, l, key)
	check(s.Destroy(ctx, "user.a.email"))
	check(s.Put(ctx, "user.a.password", []byte("another")))
	_, revision, err := s.Get(ctx, "user.b.password")
	check(err)
	_, err = s.Update(ctx, "user.b.password", []byte("another"), revision)
	check(err)
	for range 20 { // also what was never elsewhere than in this server's last block
		check(s.Put(ctx, "user.d.password", []byte("short-lived")))
	}
	check(s.Destroy(ctx, "user.d.password"))
	mustClose(t, l)
	if n := onDisk(); !slices.Equal(n, []int{0, 0, 0, 1}) || heads != 4 { // with the canary
		t.Errorf("the files have %d of each, and %d records", n, heads)
	}
	s = openSecrets(t, streamtest.Open(t, dir), key)
	for name, want := range map[string]string{"user.a.password": "another", "user.b.password": "another", "user.c.password": "of user.c.password"} {
		if value, _, err := s.Get(ctx, name); err != nil || string(value) != want {
			t.Errorf("%s: %q, %v", name, value, err)
		}
	}
	if _, _, err := s.Get(ctx, "user.a.email"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("destroyed: %v", err)
	}
}
