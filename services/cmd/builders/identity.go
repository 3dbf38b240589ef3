package builders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hubledger/services/cmd/client"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/durable"
	"hubledger/streams/machines"
)

// Files of a builder's data directory.
const (
	keyFile      = "machine.key"  // the seed of its NKey
	identityFile = "machine.json" // who it is
)

// An identity is who this machine is, and where it connects to.
type identity struct {
	Machine string `json:"machine"`
	Name    string `json:"name"`
	NATS    string `json:"nats"`
	Hub     string `json:"hub"`
	seed    []byte
	fresh   bool // just enrolled
}

// identity is that of the data directory; with --enroll a new one.
func (c *runCmd) identity(ctx context.Context, data, authority string) (*identity, error) {
	me, err := readIdentity(data)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Enroll == "":
		return nil, fmt.Errorf("this machine is not enrolled: on the hub type `hubledger builders enroll NAME`, and give the token with --enroll")
	case errors.Is(err, fs.ErrNotExist):
		return c.enroll(ctx, data, authority)
	case err != nil:
		return nil, err
	case me.Hub != c.hub.String():
		return nil, fmt.Errorf("%s belongs to a builder of %s: name another directory with --data", data, me.Hub)
	}
	return me, nil
}

func readIdentity(data string) (*identity, error) {
	text, err := os.ReadFile(filepath.Join(data, identityFile))
	if err != nil {
		return nil, err
	}
	var me identity
	if err := json.Unmarshal(text, &me); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(data, identityFile), err)
	}
	if me.seed, err = os.ReadFile(filepath.Join(data, keyFile)); err != nil {
		return nil, fmt.Errorf("the key of this machine: %w; revoke the builder, remove %s, and enroll it again", err, filepath.Join(data, identityFile))
	}
	return &me, nil
}

// enroll makes a key and has the hub know it. The key is on the disk before.
func (c *runCmd) enroll(ctx context.Context, data, authority string) (*identity, error) {
	seed, public, err := machines.NewKey()
	if err != nil {
		return nil, err
	}
	if err := durable.ReplaceFile(filepath.Join(data, keyFile), seed, 0o600); err != nil {
		return nil, err
	}
	hub, err := client.Remote(c.hub.String(), authority, nil)
	if err != nil {
		return nil, err
	}
	answer, err := hub.Do(ctx, "POST", "/machines/enroll", nil, apitypes.EnrollRequest{Token: c.Enroll, Key: public})
	if errors.Is(err, client.ErrAuthority) {
		return nil, fmt.Errorf("enroll this machine: the certificate of %s %w: copy the authority's certificate here, and name it with `hubledger builder --ca ca.crt`", c.hub, client.ErrAuthority)
	}
	if err != nil {
		return nil, fmt.Errorf("enroll this machine: %w", err)
	}
	var m apitypes.EnrolledMachine
	if err := json.Unmarshal(answer, &m); err != nil {
		return nil, err
	}
	me := &identity{Machine: m.Machine, Name: m.Name, NATS: m.NATS, Hub: c.hub.String(), seed: seed, fresh: true}
	text, err := json.MarshalIndent(me, "", "  ")
	if err != nil {
		return nil, err
	}
	return me, durable.ReplaceFile(filepath.Join(data, identityFile), append(text, '\n'), 0o600)
}
