package provenance

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"hubledger/events"
)

// Secrets are encrypted records beside the log.
type Secrets interface {
	// Get wraps fs.ErrNotExist when there is none.
	Get(ctx context.Context, key string) (value []byte, revision uint64, err error)
	// Update writes what is to follow a revision, 0 for none. events.ErrConflict.
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
}

// secretName is where the key's seed (RFC 8032, section 5.1.5) is.
const secretName = "provenance.key"

// A Key is the hub's, by which it signs where images come from (Ed25519).
type Key struct {
	private ed25519.PrivateKey
	public  []byte // SubjectPublicKeyInfo (RFC 8410)
}

func newKey(seed []byte) (*Key, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("its seed has another length")
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	return &Key{private, public}, err
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
type Keys struct {
	Secrets Secrets // nil while the log is read-only: there is no key then

	mu  sync.Mutex
	key *Key
}

// Key is the hub's key. events.ErrReadOnly.
func (k *Keys) Key(ctx context.Context) (*Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	if k.Secrets == nil {
		return nil, fmt.Errorf("read the key for provenance: %w", events.ErrReadOnly)
	}
	seed, err := k.seed(ctx)
	if err == nil {
		k.key, err = newKey(seed)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key for provenance: %w", err)
	}
	return k.key, nil
}

// seed is the one that is kept. Of nodes that make one at the same moment one is kept.
func (k *Keys) seed(ctx context.Context) ([]byte, error) {
	seed, _, err := k.Secrets.Get(ctx, secretName)
	if !errors.Is(err, fs.ErrNotExist) {
		return seed, err
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	if _, err = k.Secrets.Update(ctx, secretName, private.Seed(), 0); errors.Is(err, events.ErrConflict) {
		seed, _, err = k.Secrets.Get(ctx, secretName)
		return seed, err
	}
	return private.Seed(), err
}
