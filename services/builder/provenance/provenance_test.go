package provenance

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"hubledger/events"
)

var update = flag.Bool("update", false, "write the golden file")

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func facts() Facts {
	rule := events.DefaultBuildRule()
	rule.Name, rule.Tag, rule.Tags = "release", `/^v([0-9.]+)$/`, []string{`{\1}`, "latest"}
	rule.Args, rule.Secrets = map[string]string{"B": "2", "A": "1"}, []string{"npm-token"}
	const d = "sha256:91568bab538a6ae60824abd47894025d7ef2797d3ac9cd33e012886ef3d7c1e2"
	return Facts{Name: "hub.example.com/acme/app", Digest: d, Build: "0199d6a5-3c00-5000-8000-000000000401", Builder: "https://hub.example.com/builders/local",
		Started: time.Date(2026, 11, 29, 12, 0, 0, 5e8, time.FixedZone("", 3600)), Finished: time.Date(2026, 11, 29, 11, 1, 0, 0, time.UTC),
		Git: "https://git.example.com/acme/app.git", Ref: "refs/tags/v1.0", Commit: "5a023d5312b12c4bd1f6ee53e3a9a2a0a2cd1b0f", Rule: rule, Tags: []string{"1.0", "latest"},
		Bases: []events.BuildBase{{Name: "docker.io/library/alpine:3.22", Digest: d, Repository: "library/alpine", Tag: "3.22"},
			{Name: "hub.example.com:5050/acme/base@" + d, Digest: d, Platform: "linux/arm64", Repository: "acme/base"}, {Name: "docker.io/library/busybox:1", Digest: d}},
		Scanner: "tools/syft@" + d}
}

// The statement is as it is written down: what reads it relies on its names.
func TestStatement(t *testing.T) {
	got, err := Statement(facts())
	check(t, err)
	var pretty bytes.Buffer
	check(t, json.Indent(&pretty, append(got, '\n'), "", "  "))
	const golden = "testdata/statement.json"
	if *update {
		check(t, os.WriteFile(golden, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	check(t, err)
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the statement is\n%s\nnot\n%s", pretty.Bytes(), want)
	}
}

// What is signed verifies with the key that is published, and the same facts make the
// same bytes.
func TestSign(t *testing.T) {
	key, err := NewKeys(&memory{value: bytes.Repeat([]byte{7}, ed25519.SeedSize)}).Key(t.Context())
	check(t, err)
	statement, err := Statement(facts())
	check(t, err)
	a, err := Sign(statement, key)
	check(t, err)
	again, err := Sign(statement, key)
	check(t, err)
	if !bytes.Equal(a.Content, again.Content) {
		t.Error("signed again it has other bytes")
	}
	var b bundle
	check(t, json.Unmarshal(a.Content, &b))
	block, rest := pem.Decode(key.PEM())
	if block == nil || len(rest) > 0 {
		t.Fatalf("the key is %s", key.PEM())
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	check(t, err)
	// DSSE, "Signature Definition": PAE(type, body).
	signed := "DSSEv1 28 application/vnd.in-toto+json " + strconv.Itoa(len(statement)) + " " + string(statement)
	if !ed25519.Verify(public.(ed25519.PublicKey), []byte(signed), b.Envelope.Signatures[0].Sig) || !bytes.Equal(b.Envelope.Payload, statement) {
		t.Error("the signature does not verify")
	}
	if b.Verification.PublicKey.Hint != key.ID() || len(key.ID()) != 64 {
		t.Errorf("the key is named %+v", b)
	}
}

// memory keeps one secret. Others may write before an Update.
type memory struct {
	mu     sync.Mutex
	value  []byte
	before func(m *memory)
}

func (m *memory) Get(context.Context, string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.value == nil {
		return nil, 0, fs.ErrNotExist
	}
	return m.value, 1, nil
}

func (m *memory) Update(_ context.Context, _ string, value []byte, revision uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before != nil {
		m.before(m)
	}
	if m.value != nil || revision != 0 {
		return 0, events.ErrConflict
	}
	m.value = value
	return 1, nil
}

// The key is made once. Of several nodes all get the one that is kept; without secrets
// there is none, and one that cannot be is refused.
func TestKeyIsMadeOnce(t *testing.T) {
	shared := &memory{}
	ids := map[string]bool{}
	for range 3 {
		key, err := NewKeys(shared).Key(t.Context())
		check(t, err)
		ids[key.ID()] = true
	}
	faster := &memory{before: func(m *memory) { m.value = shared.value }}
	key, err := NewKeys(faster).Key(t.Context())
	check(t, err)
	if ids[key.ID()] = true; len(ids) != 1 {
		t.Errorf("there are the keys %v", ids)
	}
	if _, err := NewKeys(nil).Key(t.Context()); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("without secrets: %v", err)
	}
	if _, err := NewKeys(&memory{value: []byte("short")}).Key(t.Context()); err == nil {
		t.Error("a seed of five bytes is taken")
	}
}
