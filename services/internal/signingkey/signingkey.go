// Package signingkey keeps the keys with which the hub signs (Ed25519) among its secrets.
package signingkey

import (
	"context"
	"crypto/ed25519"
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

// A Keeper finds one key, and makes it where there is none. All nodes share it.
type Keeper struct {
	Secrets Secrets // nil while the log is read-only: there is no key then
	// Name is the record with the key's seed (RFC 8032, section 5.1.5).
	Name string

	mu  sync.Mutex
	key ed25519.PrivateKey
}

// Key is the private key. The error wraps events.ErrReadOnly while the log is read-only.
func (k *Keeper) Key(ctx context.Context) (ed25519.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	if k.Secrets == nil {
		return nil, fmt.Errorf("read the secret %s: %w", k.Name, events.ErrReadOnly)
	}
	seed, err := k.seed(ctx)
	if err == nil && len(seed) != ed25519.SeedSize {
		err = errors.New("it is not the seed of an Ed25519 key")
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", k.Name, err)
	}
	k.key = ed25519.NewKeyFromSeed(seed)
	return k.key, nil
}

// seed is the one that is kept. Of nodes that make one at the same moment one is kept.
func (k *Keeper) seed(ctx context.Context) ([]byte, error) {
	seed, _, err := k.Secrets.Get(ctx, k.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		return seed, err
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	if _, err = k.Secrets.Update(ctx, k.Name, private.Seed(), 0); errors.Is(err, events.ErrConflict) {
		seed, _, err = k.Secrets.Get(ctx, k.Name)
		return seed, err
	}
	return private.Seed(), err
}
