package secret_test

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"testing"

	"hubledger/services/internal/secret"
)

func TestSecret(t *testing.T) {
	a, b := secret.New(), secret.New()
	if a == b || !regexp.MustCompile(`^[A-Z2-7]{52}$`).MatchString(string(a)) {
		t.Errorf("made are %q and %q", a, b)
	}
	if bytes.Equal(a.Hash(), b.Hash()) {
		t.Error("both have one hash")
	}
	// FIPS 180-4's first example of SHA-256.
	if got := hex.EncodeToString(secret.Secret("abc").Hash()); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(got)
	}
}
