package checkpoint

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algorithm is Ed25519 in the keys of signed notes.
const algorithm = 1

// NewSigner signs with a key in the name of a log.
func NewSigner(origin string, key ed25519.PrivateKey) (note.Signer, error) {
	public, err := PublicKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	// The same with the private key in the place of the public one.
	secret := append([]byte{algorithm}, key.Seed()...)
	return note.NewSigner("PRIVATE+KEY+" + withoutKey(public) + "+" + base64.StdEncoding.EncodeToString(secret))
}

// PublicKey is the verifier key of a signed note: name+hash+key, in one line.
func PublicKey(origin string, key ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(origin, key)
}

// withoutKey is name+hash: a plus may stand in base64, but not in a name.
func withoutKey(public string) string {
	parts := strings.SplitN(public, "+", 3)
	return strings.Join(parts[:min(2, len(parts))], "+")
}

// Keys are public keys of logs, each as PublicKey writes it.
type Keys []string

// maxKeys bounds how many keys are read.
const maxKeys = 100

// ParseKeys reads keys, each in a line. Empty lines, and those that begin with #, count
// for nothing.
func ParseKeys(text string) (Keys, error) {
	var keys Keys
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("there are more than %d keys", maxKeys)
		}
		if _, err := note.NewVerifier(line); err != nil {
			return nil, fmt.Errorf("%.100q is not a key for checkpoints: it looks like hub.example.com/4F7N…+1a2b3c4d+AQID…", line)
		}
		keys = append(keys, line)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key for checkpoints in it")
	}
	return keys, nil
}

// Origin is the name of the log that the keys are for: that of the last one.
func (k Keys) Origin() string {
	name, _, _ := strings.Cut(k[len(k)-1], "+")
	return name
}

func (k Keys) verifiers() note.Verifiers {
	var list []note.Verifier
	for _, text := range k {
		if v, err := note.NewVerifier(text); err == nil { // as ParseKeys has made sure
			list = append(list, v)
		}
	}
	return note.VerifierList(list...)
}

// String names the keys without their base64.
func (k Keys) String() string {
	names := make([]string, len(k))
	for n, text := range k {
		names[n] = withoutKey(text)
	}
	return strings.Join(names, ", ")
}
