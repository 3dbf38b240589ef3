package machines

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// ErrRefused: the hub does not let the machine in. It was revoked, or never enrolled.
var ErrRefused = errors.New("the hub does not let this machine in: it was revoked, or enrolled at another hub")

// ErrUnreachable: the hub does not answer, or the connection has ended.
var ErrUnreachable = errors.New("the hub does not answer")

// NewKey makes the key of a machine: the seed, which is the secret, and the public half.
func NewKey() (seed []byte, public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, "", err
	}
	if seed, err = pair.Seed(); err != nil {
		return nil, "", err
	}
	public, err = pair.PublicKey()
	return seed, public, err
}

// DialConfig says how a machine reaches the hub. All fields but CAs are required.
type DialConfig struct {
	Address    string         // of the server, HOST:PORT
	ServerName string         // that its certificate is for
	CAs        *x509.CertPool // nil: the system's
	Machine    string         // id
	Seed       []byte         // of its key
	Logger     *slog.Logger
}

// A Conn is the connection of a machine. It is made again whenever it ends.
type Conn struct {
	nc      *nats.Conn
	machine string
	refused atomic.Bool
}

// Dial makes the connection, and waits for the first until ctx ends. An error means
// that the configuration is wrong: ErrRefused, a certificate, or an address.
func Dial(c DialConfig) (*Conn, error) {
	pair, err := nkeys.FromSeed(c.Seed)
	if err != nil {
		return nil, fmt.Errorf("the key of this machine cannot be read: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	conn := &Conn{machine: c.Machine}
	conn.nc, err = nats.Connect("tls://"+c.Address,
		nats.Secure(&tls.Config{ServerName: c.ServerName, RootCAs: c.CAs, MinVersion: tls.VersionTLS12}), nats.TLSHandshakeFirst(),
		nats.Nkey(public, pair.Sign), nats.CustomInboxPrefix(inboxPrefix+c.Machine), nats.Name(c.Machine),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.CustomReconnectDelay(conn.pause),
		nats.ReconnectBufSize(-1), nats.IgnoreAuthErrorAbort(), nats.Timeout(10*time.Second), nats.PingInterval(10*time.Second),
		nats.ConnectHandler(func(*nats.Conn) { conn.refused.Store(false) }),
		nats.ReconnectHandler(func(*nats.Conn) {
			conn.refused.Store(false)
			c.Logger.Info("the hub is reached again")
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.Logger.Warn("the connection to the hub has ended; it is tried again", "error", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { conn.note(err, c.Logger) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { conn.note(err, c.Logger) }))
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// pause is how long to wait before the hub is tried again: shortly for one that is
// started again, and long where it does not let the machine in.
func (c *Conn) pause(attempts int) time.Duration {
	if c.refused.Load() {
		return 30 * time.Second
	}
	return min(time.Duration(attempts)*500*time.Millisecond, 3*time.Second) + rand.N(500*time.Millisecond)
}

// note takes note of why the hub cannot be reached.
func (c *Conn) note(err error, logger *slog.Logger) {
	if errors.Is(err, nats.ErrAuthorization) {
		if c.refused.CompareAndSwap(false, true) {
			logger.Error(ErrRefused.Error())
		}
		return
	}
	logger.Warn("the hub cannot be reached; it is tried again", "error", err)
}

// Request asks the hub and returns its answer. ErrUnreachable, ErrRefused.
func (c *Conn) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	if len(data) > MaxMessage-(4<<10) {
		return nil, fmt.Errorf("a request has %d bytes, %d are allowed", len(data), MaxMessage-(4<<10))
	}
	m, err := c.nc.RequestWithContext(ctx, requestPrefix+c.machine+"."+operation, data)
	switch {
	case err == nil:
		return m.Data, nil
	case c.refused.Load():
		return nil, ErrRefused
	}
	return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }
