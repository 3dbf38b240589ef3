package checkpoint_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"hubledger/services/audit/checkpoint"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// aKey is the n-th key of these tests, and its signer and public key for a log.
func aKey(t *testing.T, origin string, n int) (note.Signer, string) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	key := ed25519.NewKeyFromSeed(seed[:])
	signer, err := checkpoint.NewSigner(origin, key)
	check(t, err)
	public, err := checkpoint.PublicKey(origin, key.Public().(ed25519.PublicKey))
	check(t, err)
	return signer, public
}

const origin = "hub.test:5050/G1"

// What is signed can be opened with its public key, whatever base64 makes of it, and with
// one of several.
func TestSignAndOpen(t *testing.T) {
	c := checkpoint.Checkpoint{Origin: origin, Tree: tlog.Tree{N: 12, Hash: tlog.RecordHash([]byte("x"))}}
	_, other := aKey(t, origin, -1)
	for n := range 200 {
		signer, public := aKey(t, origin, n)
		signed, err := c.Sign(signer)
		check(t, err)
		keys, err := checkpoint.ParseKeys("# of the hub\n" + other + "\n\n" + public + "\n")
		check(t, err)
		got, err := checkpoint.Open(signed, keys)
		check(t, err)
		if got != c || keys.Origin() != origin || checkpoint.GenerationOf(got.Origin) != "G1" {
			t.Fatalf("%+v is not %+v", got, c)
		}
		if strings.Contains(keys.String(), public) || !strings.Contains(keys.String(), origin) {
			t.Errorf("the keys are called %s", keys)
		}
	}
}

// Every changed byte, another key, and the key of another log are refused.
func TestRefused(t *testing.T) {
	c := checkpoint.Checkpoint{Origin: origin, Tree: tlog.Tree{N: 12, Hash: tlog.RecordHash([]byte("x"))}}
	signer, public := aKey(t, origin, 1)
	_, another := aKey(t, origin, 2)
	signed, err := c.Sign(signer)
	check(t, err)
	for at := range signed {
		changed := bytes.Clone(signed)
		changed[at] ^= 1
		if got, err := checkpoint.Open(changed, checkpoint.Keys{public}); err == nil {
			t.Errorf("with byte %d changed it is %+v", at, got)
		}
	}
	if _, err := checkpoint.Open(signed, checkpoint.Keys{another}); err == nil || !strings.Contains(err.Error(), "not signed with the key that you trust") {
		t.Errorf("with another key: %v", err)
	}
	foreign, public := aKey(t, "other.test/G1", 1)
	if signed, err = c.Sign(foreign); err != nil {
		t.Fatal(err)
	}
	if _, err := checkpoint.Open(signed, checkpoint.Keys{public}); err == nil || !strings.Contains(err.Error(), "signed with the key of other.test/G1") {
		t.Errorf("by another log: %v", err)
	}
	for _, text := range []string{"", "# only this", "key", public + "x", strings.Repeat(public+"\n", 101)} {
		if keys, err := checkpoint.ParseKeys(text); err == nil {
			t.Errorf("%.50q is %v", text, keys)
		}
	}
}

// Nothing that cannot be opened makes the reader fail.
func FuzzOpen(f *testing.F) {
	public, err := checkpoint.PublicKey(origin, ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(origin + "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— " + origin + " AAAAAAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := checkpoint.Open(b, checkpoint.Keys{public}); err == nil {
			t.Errorf("%q was signed by nobody: %+v", b, c)
		}
	})
}
