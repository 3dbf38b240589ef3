// Package enrolment makes this machine one that works for a hub, a builder or a host: its
// key, who it is, and whose certificates it trusts.
package enrolment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/origin"
	"hubledger/streams/machines"
)

// Files of a machine's data directory.
const (
	keyFile      = "machine.key"  // the seed of its NKey
	identityFile = "machine.json" // who it is
)

// words are those of the commands about machines of a kind: on the hub, and on the
// machine.
var words = map[string]struct{ hub, here string }{
	events.MachineBuilder: {"hubledger builders enroll NAME", "hubledger builder"},
	events.MachineHost:    {"hubledger hosts enroll NAME", "hubledger agent"},
}

// A Machine says what is to be enrolled, and where. All fields but Token and Authority
// are required.
type Machine struct {
	Kind      string // of events
	Data      string // directory of its own
	Hub       *url.URL
	Token     string // one-time; "" when it is enrolled already
	Flag      string // that gives the token
	Authority string // PEM of the hub's own authority; "" for none
}

// An Identity is who this machine is, and where it connects to.
type Identity struct {
	Machine string `json:"machine"`
	Name    string `json:"name"`
	NATS    string `json:"nats"`
	Hub     string `json:"hub"`
	Seed    []byte `json:"-"` // of its key
	Fresh   bool   `json:"-"` // just enrolled
}

// Hub is the URL of a hub as a flag names it. One on another machine is reached by TLS
// only.
func Hub(text, why string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("name the hub, such as --hub https://hub.example.com")
	}
	text, err := client.ServerURL(text)
	if err != nil {
		return nil, fmt.Errorf("--hub: %w", err)
	}
	hub, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--hub: %w", err)
	}
	if hub.Scheme != "https" && !origin.IsLoopback(hub.Hostname()) {
		return nil, errors.New("--hub: a hub on another machine is reached by https:// only: " + why)
	}
	return hub, nil
}

// Open reads who this machine is from its data directory; with a token it enrolls it the
// first time.
func (m Machine) Open(ctx context.Context) (*Identity, error) {
	me, err := m.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) && m.Token == "":
		return nil, fmt.Errorf("this machine is not enrolled: on the hub type `%s`, and give the token with %s", words[m.Kind].hub, m.Flag)
	case errors.Is(err, fs.ErrNotExist):
		return m.enroll(ctx)
	case err != nil:
		return nil, err
	case me.Hub != m.Hub.String():
		return nil, fmt.Errorf("%s belongs to a %s of %s: name another directory with --data", m.Data, m.Kind, me.Hub)
	}
	return me, nil
}

// Used says that a token was given to a machine that is enrolled already.
func (m Machine) Used(me *Identity) string {
	if m.Token == "" || me.Fresh {
		return ""
	}
	return fmt.Sprintf("This machine is enrolled already, as %s: the token is not used. To enroll it anew, such as after it was revoked, remove %s, or name another directory with --data.",
		me.Name, filepath.Join(m.Data, identityFile))
}

func (m Machine) read() (*Identity, error) {
	file := filepath.Join(m.Data, identityFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var me Identity
	if err := json.Unmarshal(text, &me); err != nil {
		return nil, fmt.Errorf("read %s: %w; revoke the %s, remove the file, and enroll it again", file, err, m.Kind)
	}
	if me.Seed, err = os.ReadFile(filepath.Join(m.Data, keyFile)); err != nil {
		return nil, fmt.Errorf("the key of this machine: %w; revoke the %s, remove %s, and enroll it again", err, m.Kind, file)
	}
	return &me, nil
}

// enroll makes a key and has the hub know it. The key is on the disk before.
func (m Machine) enroll(ctx context.Context) (*Identity, error) {
	seed, public, err := machines.NewKey()
	if err != nil {
		return nil, err
	}
	if err := durable.ReplaceFile(filepath.Join(m.Data, keyFile), seed, 0o600); err != nil {
		return nil, err
	}
	hub, err := client.Remote(m.Hub.String(), m.Authority, nil)
	if err != nil {
		return nil, err
	}
	answer, err := hub.Do(ctx, "POST", "/machines/enroll", nil, apitypes.EnrollRequest{Token: m.Token, Key: public, Kind: m.Kind})
	if errors.Is(err, client.ErrAuthority) {
		return nil, fmt.Errorf("enroll this machine: the certificate of %s %w: copy the authority's certificate here, and name it with `%s --ca ca.crt`", m.Hub, client.ErrAuthority, words[m.Kind].here)
	}
	if err != nil {
		return nil, fmt.Errorf("enroll this machine: %w", err)
	}
	var enrolled apitypes.EnrolledMachine
	if err := json.Unmarshal(answer, &enrolled); err != nil {
		return nil, err
	}
	me := &Identity{Machine: enrolled.Machine, Name: enrolled.Name, NATS: enrolled.NATS, Hub: m.Hub.String(), Seed: seed, Fresh: true}
	text, err := json.MarshalIndent(me, "", "  ")
	if err != nil {
		return nil, err
	}
	return me, durable.ReplaceFile(filepath.Join(m.Data, identityFile), append(text, '\n'), 0o600)
}

// Trust are the authorities that the hub's certificate may be of: the system's, and that
// of a file, whose PEM is authority. "" is no file.
func Trust(file string) (trust *tls.Config, authority string, err error) {
	trust = &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return trust, "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("--ca: %w", err)
	}
	if trust.RootCAs, err = x509.SystemCertPool(); err != nil {
		trust.RootCAs = x509.NewCertPool()
	}
	if !trust.RootCAs.AppendCertsFromPEM(text) {
		return nil, "", fmt.Errorf("--ca: %s holds no certificate (PEM)", file)
	}
	return trust, string(text), nil
}
