package machines

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// hubUser is the hub itself, which has a password that is made at each start.
const hubUser = "hub"

const checkWithin = 5 * time.Second

// A gate lets machines in. It is asked at each connection, so that a machine that was
// enrolled can connect at once, and one that was revoked cannot any more.
type gate struct{ *Server }

var errSignature = errors.New("the key does not sign the challenge")

// Check is of server.Authentication.
func (g gate) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if c.Kind() != server.CLIENT {
		return false
	}
	if opts.Nkey == "" {
		if id, ok := strings.CutPrefix(opts.Username, hubUser+"/"); ok && subtle.ConstantTimeCompare([]byte(opts.Password), []byte(g.password)) == 1 {
			return g.admitRelay(c, id)
		}
		if opts.Username != hubUser || subtle.ConstantTimeCompare([]byte(opts.Password), []byte(g.password)) != 1 {
			return false
		}
		c.RegisterUser(&server.User{Username: hubUser})
		return true
	}
	err := signed(opts.Nkey, opts.Sig, c.GetNonce())
	var m Machine
	if err == nil {
		ctx, cancel := context.WithTimeout(g.ctx, checkWithin)
		defer cancel()
		m, err = g.config.Machine(ctx, opts.Nkey)
	}
	if err == nil && m.Reader {
		err = g.admitReader(c, m.ID)
	}
	if err == nil && m.Reader {
		// It may have been revoked, and cut off, before it was let in.
		if _, err = g.config.Machine(g.ctx, opts.Nkey); err != nil {
			g.endReader(m.ID)
		}
	}
	if err != nil {
		g.config.Logger.Warn("a machine that wants to connect is refused", "address", c.RemoteAddress(), "error", err)
		return false
	}
	if m.Reader {
		return true
	}
	id := m.ID
	c.RegisterUser(&server.User{Username: id, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{requestPrefix + id + ".*"}},
		Subscribe: &server.SubjectPermission{Allow: []string{inboxPrefix + id + ".>"}},
	}})
	g.replace(id, c.GetID())
	return true
}

// replace takes note of the connection of a machine, which has one: an older one may be
// of a network that has ended without a word.
func (g gate) replace(machine string, id uint64) {
	g.mu.Lock()
	old, ok := g.connected[machine]
	g.connected[machine] = id
	g.mu.Unlock()
	if ok && old != id {
		go g.ns.DisconnectClientByID(old)
	}
}

// signed says whether a key has signed the challenge of this connection.
func signed(key, signature string, nonce []byte) error {
	if len(nonce) == 0 {
		return errSignature
	}
	sig, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return errSignature
	}
	if !nkeys.IsValidPublicUserKey(key) {
		return errSignature
	}
	public, err := nkeys.FromPublicKey(key)
	if err != nil || public.Verify(nonce, sig) != nil {
		return errSignature
	}
	return nil
}
