package auth

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hubledger/events"
)

const (
	// keyTerm is how long a key signs.
	keyTerm = 30 * 24 * time.Hour
	// keyGrace is how long it still verifies after that: longer than any token lasts.
	keyGrace = 24 * time.Hour
	// rereadEvery bounds how often a token with an unknown key makes us read all keys again.
	rereadEvery = time.Second
)

const signingSecrets = "signing."

// A signingKey is numbered: of two nodes that make the next one at the same
// time, one creates the secret of that number and the other one reads it.
type signingKey struct {
	number  int
	Created time.Time `json:"created"`
	Seed    []byte    `json:"seed"`
	private ed25519.PrivateKey
}

func (k *signingKey) id() string                { return strconv.Itoa(k.number) }
func (k *signingKey) public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// keys are the signing keys that all nodes share. No node is notified of a new
// one: a node that meets a token with an unknown key reads them again.
type keys struct {
	secrets Secrets
	log     *slog.Logger

	mu   sync.Mutex
	all  []*signingKey // oldest first
	read time.Time     // when all were read
}

func newKeys(s Secrets, log *slog.Logger) *keys { return &keys{secrets: s, log: log} }

// signing is the key to sign with now. A new one is made when there is none or the
// latest one is older than keyTerm.
func (k *keys) signing(ctx context.Context) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current(ctx)
}

func (k *keys) current(ctx context.Context) (*signingKey, error) {
	last := k.last()
	if last != nil && time.Since(last.Created) < keyTerm {
		return last, nil
	}
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	if last = k.last(); last != nil && time.Since(last.Created) < keyTerm {
		return last, nil
	}
	made, err := k.create(ctx, last)
	if err != nil && last != nil {
		k.log.Warn("could not make the next signing key; the old one stays in use", "error", err)
		return last, nil
	}
	return made, err
}

func (k *keys) last() *signingKey {
	if len(k.all) == 0 {
		return nil
	}
	return k.all[len(k.all)-1]
}

func (k *keys) create(ctx context.Context, last *signingKey) (*signingKey, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	made := &signingKey{number: 1, Created: time.Now().UTC().Truncate(time.Second), Seed: private.Seed(), private: private}
	if last != nil {
		made.number = last.number + 1
	}
	if k.secrets == nil {
		// While the log's files are damaged the key lasts as long as the process:
		// pulls of public repositories need tokens too.
		k.all = append(k.all, made)
		return made, nil
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	if _, err = k.secrets.Update(ctx, signingSecrets+made.id(), text, 0); errors.Is(err, events.ErrConflict) {
		if err := k.load(ctx); err != nil {
			return nil, err
		}
		if last = k.last(); last != nil {
			return last, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	k.all = append(k.all, made)
	return made, nil
}

// verifying is the public key of that id, nil when there is none.
func (k *keys) verifying(ctx context.Context, id string) (ed25519.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for range 2 {
		for _, key := range k.all {
			if key.id() == id {
				return key.public(), nil
			}
		}
		if !k.read.IsZero() && time.Since(k.read) < rereadEvery {
			return nil, nil
		}
		if err := k.load(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// published are the keys that verify now, oldest first. If there is none, one is made.
func (k *keys) published(ctx context.Context) ([]*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.read) >= rereadEvery {
		if err := k.load(ctx); err != nil {
			return nil, err
		}
	}
	_, err := k.current(ctx)
	return slices.Clone(k.all), err
}

// load reads all keys again, without those that no longer verify.
func (k *keys) load(ctx context.Context) error {
	if k.secrets == nil {
		k.read = time.Now()
		return nil
	}
	names, err := k.secrets.Keys(ctx, signingSecrets)
	if err != nil {
		return fmt.Errorf("read the signing keys: %w", err)
	}
	var all []*signingKey
	for _, name := range names {
		n, err := strconv.Atoi(strings.TrimPrefix(name, signingSecrets))
		if err != nil {
			continue
		}
		text, _, err := k.secrets.Get(ctx, name)
		if errors.Is(err, errNoSecret) {
			continue // destroyed since it was listed
		}
		key := &signingKey{number: n}
		if err == nil {
			err = json.Unmarshal(text, key)
		}
		if err == nil && len(key.Seed) != ed25519.SeedSize {
			err = errors.New("its seed has another length")
		}
		if err != nil {
			return fmt.Errorf("read signing key %d: %w", n, err)
		}
		key.private = ed25519.NewKeyFromSeed(key.Seed)
		all = append(all, key)
	}
	slices.SortFunc(all, func(a, b *signingKey) int { return cmp.Compare(a.number, b.number) })
	for len(all) > 1 && time.Since(all[1].Created) > keyGrace {
		all = all[1:]
	}
	k.all, k.read = all, time.Now()
	return nil
}

// tend makes the next key when it is time, and destroys those that no longer verify.
func (k *keys) tend(ctx context.Context) error {
	if k.secrets == nil {
		return nil
	}
	if _, err := k.published(ctx); err != nil {
		return err
	}
	names, err := k.secrets.Keys(ctx, signingSecrets)
	if err != nil {
		return err
	}
	k.mu.Lock()
	first := k.all[0].number
	k.mu.Unlock()
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, signingSecrets)); err == nil && n < first {
			if err := k.secrets.Destroy(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}
