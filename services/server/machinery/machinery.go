// Package machinery lets machines, builders and hosts, connect to a node, and has what
// they ask done by the service of their kind.
package machinery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/server/listen"
	"hubledger/services/server/settings"
	"hubledger/streams"
	"hubledger/streams/machines"
)

// Check says what is wrong with --nats-listen and the certificate for it, before anything
// is opened. enrolls says that the node runs the service where machines enroll.
func Check(address, cert, key string, enrolls bool) (err error) {
	switch {
	case address == "":
		return nil
	case !enrolls:
		err = errors.New("builders and hosts connect to a node that runs the service builder, where they enroll: name it with --services")
	default:
		if _, err = tls.LoadX509KeyPair(cert, key); err != nil {
			err = fmt.Errorf("builders and hosts connect by TLS, and there is no certificate: %w; give --tls-cert and --tls-key, or make one with `hubledger tls init`", err)
		}
	}
	if err != nil {
		return &settings.Error{Setting: "--nats-listen", Err: err}
	}
	return nil
}

// Config says who answers. All fields are required.
type Config struct {
	Address   string // HOST:PORT
	Cert, Key string // PEM files
	People    accounts.Reader
	Log       *streams.Log
	// Answer does what a machine of a kind asks, and returns what it is to be answered.
	Answer map[string]func(ctx context.Context, m *accounts.Machine, operation string, data []byte) []byte
	Logger *slog.Logger
}

// A Listener has the connections of machines. The zero Listener has none.
type Listener struct {
	config Config
	server atomic.Pointer[machines.Server] // nil until it listens
}

// Listen begins; Close ends all connections.
func (l *Listener) Listen(c Config) error {
	l.config = c
	secure, err := listen.TLSConfig(c.Cert, c.Key, c.Logger)
	if err != nil {
		return err
	}
	secure.NextProtos = nil
	s, err := machines.Start(machines.Config{Address: c.Address, TLS: secure, Machine: l.byKey, Answer: l.answer, Logger: c.Logger,
		Stream: streams.StreamName, Relay: c.Log.Relay})
	if err != nil {
		return fmt.Errorf("--nats-listen: %w", err) // not a settings.Error: a later start may succeed, once the address is free
	}
	l.server.Store(s)
	c.Logger.Info("builders and hosts can connect", "address", s.Address())
	return nil
}

// Close ends all connections, and returns when nothing is being answered.
func (l *Listener) Close() {
	if s := l.server.Load(); s != nil {
		s.Close()
	}
}

// byKey is the machine that may connect by a key.
func (l *Listener) byKey(ctx context.Context, public string) (machines.Machine, error) {
	m, err := l.config.People.MachineByKey(ctx, public)
	if err != nil {
		return machines.Machine{}, err
	}
	return machines.Machine{ID: m.ID, Reader: m.Kind == events.MachineReader}, nil
}

// answer has the service of its kind do what a machine asks. One that was revoked is cut
// off and answered nothing.
func (l *Listener) answer(ctx context.Context, id, operation string, data []byte) []byte {
	m, err := l.config.People.Machine(ctx, id)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
	case err != nil:
		l.config.Logger.Warn("the request of a machine failed", "error", err)
		return nil
	case m.State == accounts.MachineEnrolled:
		if answer := l.config.Answer[m.Kind]; answer != nil {
			return answer(ctx, m, operation, data)
		}
	}
	l.Disconnect(id)
	return nil
}

// Address is where a machine connects to that has reached the hub by a host name. Where
// the node listens on all addresses, it is that host.
func (l *Listener) Address(host string) string {
	s := l.server.Load()
	if s == nil {
		return ""
	}
	at, err := netip.ParseAddrPort(s.Address())
	if err != nil || !at.Addr().IsUnspecified() {
		return s.Address()
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return net.JoinHostPort(host, fmt.Sprint(at.Port()))
}

// Connected says whether a machine has a connection.
func (l *Listener) Connected(machine string) bool {
	s := l.server.Load()
	return s != nil && s.Connected(machine)
}

// Disconnect ends the connection of a machine.
func (l *Listener) Disconnect(machine string) {
	if s := l.server.Load(); s != nil {
		s.Disconnect(machine)
	}
}
