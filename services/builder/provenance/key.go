package provenance

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"hubledger/services/internal/signingkey"
)

// secretName is where the key's seed is among the secrets.
const secretName = "provenance.key"

// A Key is the hub's, by which it signs where images come from (Ed25519).
type Key struct {
	private ed25519.PrivateKey
	public  []byte // SubjectPublicKeyInfo (RFC 8410)
}

// ID is the SHA-256 of the public key in DER, in hexadecimal digits.
func (k *Key) ID() string {
	sum := sha256.Sum256(k.public)
	return hex.EncodeToString(sum[:])
}

// PEM is the public key.
func (k *Key) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.public})
}

// Keys finds the key, and makes it where there is none. All nodes share it.
type Keys struct{ keeper signingkey.Keeper }

// NewKeys makes Keys; secrets are nil while the log is read-only.
func NewKeys(secrets signingkey.Secrets) *Keys {
	return &Keys{signingkey.Keeper{Secrets: secrets, Name: secretName}}
}

// Key is the hub's key. events.ErrReadOnly.
func (k *Keys) Key(ctx context.Context) (*Key, error) {
	private, err := k.keeper.Key(ctx)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	return &Key{private, public}, err
}
