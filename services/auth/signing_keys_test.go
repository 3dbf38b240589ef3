package auth

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"hubledger/events"
)

// memory is a Secrets without a server, for tests of time.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	at     map[string]uint64
	reads  int
}

func newMemory() *memory { return &memory{values: map[string][]byte{}, at: map[string]uint64{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[key]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return v, m.at[key], nil
}

func (m *memory) Put(ctx context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key], m.at[key] = value, m.at[key]+1
	return nil
}

func (m *memory) Update(_ context.Context, key string, value []byte, revision uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[key]; ok != (revision != 0) || ok && m.at[key] != revision {
		return 0, events.ErrConflict
	}
	m.values[key], m.at[key] = value, m.at[key]+1
	return m.at[key], nil
}

func (m *memory) Destroy(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Keys(_ context.Context, prefix string) (keys []string, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	for k := range m.values {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// A keyNode is as much of a node as signs and verifies.
func keyNode(s Secrets) *Auth {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &Auth{Config: Config{Secrets: s, Logger: log}, service: "hubledger", keys: newKeys(s, log), jwts: newJWTCache()}
}

func signedBy(t *testing.T, s *Auth, term time.Duration) string {
	t.Helper()
	text, err := s.sign(t.Context(), s.newClaims(identity{}, "https://hub.test", useRegistry, term))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Keys change each month; what an old one has signed is good to its end, on
// every node, and old keys are destroyed.
func TestKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, secrets := t.Context(), newMemory()
		a, b := keyNode(secrets), keyNode(secrets)
		accepted := func(s *Auth, text string) bool {
			_, err := s.verify(ctx, text)
			return err == nil
		}
		if !accepted(b, signedBy(t, a, registryTerm)) || !accepted(a, signedBy(t, b, registryTerm)) {
			t.Fatal("nodes do not agree")
		}
		if len(secrets.values) != 1 {
			t.Fatalf("%d keys", len(secrets.values))
		}
		time.Sleep(keyTerm - time.Minute)
		old := signedBy(t, a, sessionTerm)
		time.Sleep(2 * time.Minute)
		next := signedBy(t, b, sessionTerm)
		if len(secrets.values) != 2 {
			t.Fatalf("%d keys after a month", len(secrets.values))
		}
		for name, s := range map[string]*Auth{"a": a, "b": b} {
			if !accepted(s, old) || !accepted(s, next) {
				t.Errorf("%s does not accept what was signed before and after the change", name)
			}
		}
		if err := a.keys.tend(ctx); err != nil || len(secrets.values) != 2 {
			t.Errorf("%d keys, %v: the old one is destroyed too soon", len(secrets.values), err)
		}
		time.Sleep(sessionTerm - time.Hour)
		if !accepted(a, old) {
			t.Error("the old key's token ends early")
		}
		time.Sleep(2 * time.Hour)
		if accepted(a, old) || accepted(b, old) {
			t.Error("a token is accepted after its time")
		}
		time.Sleep(keyGrace)
		if err := a.keys.tend(ctx); err != nil || len(secrets.values) != 1 {
			t.Errorf("%d keys, %v: the old one is not destroyed", len(secrets.values), err)
		}
		if !accepted(b, signedBy(t, a, registryTerm)) {
			t.Error("nodes do not agree after the old key is gone")
		}
	})
}

// Made-up keys do not make us read the store for each.
func TestUnknownKeysAreLookedForOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := newMemory()
		s := keyNode(secrets)
		signedBy(t, s, registryTerm)
		before := secrets.reads
		for range 1000 {
			if key, err := s.keys.verifying(t.Context(), "77"); key != nil || err != nil {
				t.Fatal(key, err)
			}
		}
		if n := secrets.reads - before; n > 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestTokensEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := keyNode(newMemory())
		text := signedBy(t, s, registryTerm)
		time.Sleep(registryTerm - time.Second)
		if _, err := s.verify(t.Context(), text); err != nil {
			t.Error(err)
		}
		fresh := keyNode(s.Secrets) // one that has not seen it before
		time.Sleep(time.Second)
		for _, s := range []*Auth{s, fresh} {
			if _, err := s.verify(t.Context(), text); err == nil {
				t.Error("accepted at its end")
			}
		}
	})
}

// Of nodes that start at once, all use one key.
func TestKeysAtOnce(t *testing.T) {
	secrets := newMemory()
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if _, err := keyNode(secrets).keys.signing(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if len(secrets.values) != 1 {
		t.Errorf("%d keys", len(secrets.values))
	}
}

// What a clock that is a little ahead has signed is accepted.
func TestLeeway(t *testing.T) {
	s := keyNode(newMemory())
	for ahead, want := range map[time.Duration]bool{30 * time.Second: true, 2 * time.Minute: false} {
		c := s.newClaims(identity{}, "https://hub.test", useRegistry, registryTerm)
		c.NotBefore, c.IssuedAt = jwt.NewNumericDate(time.Now().Add(ahead)), jwt.NewNumericDate(time.Now().Add(ahead))
		text, err := s.sign(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.verify(t.Context(), text); (err == nil) != want {
			t.Errorf("%v ahead: %v", ahead, err)
		}
	}
	c := s.newClaims(identity{}, "https://hub.test", useRegistry, registryTerm)
	c.Audience = []string{"another.hub"}
	text, err := s.sign(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.verify(t.Context(), text); err == nil {
		t.Error("a token for another service is accepted")
	}
}
