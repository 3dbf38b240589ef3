// Package machines is the way by which machines, such as builders, talk to the hub: a
// NATS server of its own in this process. It has no JetStream and no connection to the
// server of the log, so that nothing of the log, of secrets and of other streams can be
// reached through it, whatever a machine sends. A machine that is a reader of the log is in
// an account of its own, where a relay answers it.
package machines

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"hubledger/streams/embedded"
	"hubledger/streams/relay"
)

// A machine sends requests on requestPrefix + "<its id>.<operation>" and gets answers
// on inboxPrefix + "<its id>.…".
const (
	requestPrefix = "machine."
	inboxPrefix   = "answer."
)

// Bounds of the server.
const (
	// MaxMessage bounds a request and an answer, in bytes.
	MaxMessage     = 2 << 20
	maxConnections = 500
	maxPending     = 32 << 20 // bytes that wait for one machine
	maxEvent       = 9 << 20  // of a message that the server takes: an event for a reader
	maxReaders     = 16       // that are connected
	maxReading     = 4        // connections of one
	maxAtOnce      = 32       // requests of one machine
	requestWithin  = time.Minute
	startWithin    = 10 * time.Second
)

// Config says who may connect, and who answers. All fields are required.
type Config struct {
	Address string      // to listen on, HOST:PORT; port 0 is any
	TLS     *tls.Config // there is no connection without
	// Machine is the machine with that public key; an error when none that may connect
	// has it.
	Machine func(ctx context.Context, publicKey string) (Machine, error)
	// Stream is the one that readers read.
	Stream string
	// Relay answers a reader over a connection in its account. Nil: there are no readers.
	Relay func(to *nats.Conn, reader string) (*relay.Relay, error)
	// Answer answers a request. A machine that is not to talk any more is to be cut
	// off by Disconnect, and answered nothing.
	Answer func(ctx context.Context, machine, operation string, data []byte) []byte
	Logger *slog.Logger
}

// A Machine is one that connects.
type Machine struct {
	ID     string
	Reader bool // of the log: it asks by JetStream's API, and for nothing else
}

// A Server is the listening server.
type Server struct {
	config   Config
	ns       *server.Server
	conn     *nats.Conn // the hub's own
	password string     // of that
	ctx      context.Context
	stop     context.CancelFunc
	work     sync.WaitGroup

	mu        sync.Mutex
	connected map[string]uint64 // machine: its connection
	readers   map[string]*reader

	reading sync.Mutex     // held while a reader is let in
	busy    map[string]int // machine: requests that are being answered
}

// Start listens. The error says what is wrong with the address.
func Start(c Config) (*Server, error) {
	host, text, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no port", text)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s := &Server{config: c, password: rand.Text(), connected: map[string]uint64{}, busy: map[string]int{}, readers: map[string]*reader{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	log := embedded.NewLog(c.Logger)
	s.ns, err = server.NewServer(&server.Options{ServerName: "hubledger-machines", Host: host, Port: port, NoSigs: true, NoSystemAccount: true,
		TLSConfig: c.TLS, TLSHandshakeFirst: true, TLSTimeout: 5, AuthTimeout: 5, AlwaysEnableNonce: true, CustomClientAuthentication: gate{s},
		MaxPayload: maxEvent, MaxConn: maxConnections, MaxPending: maxPending, MaxSubs: 8, PingInterval: 10 * time.Second, MaxPingsOut: 2, WriteDeadline: 10 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	s.ns.SetLoggerV2(strangers{log}, false, false, false)
	s.ns.Start()
	for end := time.Now().Add(startWithin); !s.ns.ReadyForConnections(100 * time.Millisecond); {
		if log.Failed() || time.Now().After(end) {
			s.Close()
			return nil, fmt.Errorf("nats server did not start: %w", log.LastError())
		}
	}
	s.conn, err = nats.Connect("", nats.InProcessServer(s.ns), nats.UserInfo(hubUser, s.password), nats.Name("hub"), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err == nil {
		_, err = s.conn.Subscribe(requestPrefix+"*.*", s.take)
	}
	if err == nil {
		err = s.conn.Flush()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// strangers logs what anybody can cause as a notice. A key that is refused is told by the
// gate.
type strangers struct{ *embedded.Log }

// Warnf is of server.Logger.
func (l strangers) Warnf(format string, v ...any) { l.Noticef(format, v...) }

// Errorf is of server.Logger.
func (l strangers) Errorf(format string, v ...any) {
	if text := fmt.Sprintf(format, v...); strings.Contains(text, "authentication error") || strings.Contains(text, "TLS handshake error") || strings.Contains(text, " Violation - ") {
		l.Noticef("%s", text)
		return
	}
	l.Log.Errorf(format, v...)
}

// Address is where the server listens, HOST:PORT.
func (s *Server) Address() string { return s.ns.Addr().String() }

// take hands a request on. It runs for one request after the other.
func (s *Server) take(m *nats.Msg) {
	machine, operation, _ := strings.Cut(strings.TrimPrefix(m.Subject, requestPrefix), ".")
	// The hub sends where it is told to: only to the machine itself.
	if !strings.HasPrefix(m.Reply, inboxPrefix+machine+".") || len(m.Data) > MaxMessage {
		return
	}
	if !s.begin(machine) {
		return // the machine tries again, later
	}
	s.work.Go(func() {
		defer s.end(machine)
		ctx, cancel := context.WithTimeout(s.ctx, requestWithin)
		defer cancel()
		answer := s.config.Answer(ctx, machine, operation, m.Data)
		if answer == nil {
			return
		}
		if err := m.Respond(answer); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			s.config.Logger.Warn("a machine was not answered", "machine", machine, "operation", operation, "error", err)
		}
	})
}

// begin counts a request. It is false when the machine has too many, or was cut off: what
// it sent before its connection was closed may still come.
func (s *Server) begin(machine string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, connected := s.connected[machine]; !connected || s.busy[machine] >= maxAtOnce {
		return false
	}
	s.busy[machine]++
	return true
}

func (s *Server) end(machine string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[machine]--; s.busy[machine] == 0 {
		delete(s.busy, machine)
	}
}

// Disconnect ends the connection of a machine.
func (s *Server) Disconnect(machine string) {
	s.mu.Lock()
	id, ok := s.connected[machine]
	delete(s.connected, machine)
	s.mu.Unlock()
	if ok {
		s.ns.DisconnectClientByID(id) // an error: it has ended already
	}
	s.endReader(machine)
}

// Connected says whether a machine is connected.
func (s *Server) Connected(machine string) bool {
	s.mu.Lock()
	id, ok := s.connected[machine]
	r := s.readers[machine]
	reading := r != nil && r.connected(s.ns)
	s.mu.Unlock()
	return reading || ok && s.ns.GetClient(id) != nil
}

// Close ends all connections, and returns when no request is being answered.
func (s *Server) Close() {
	s.stop()
	if s.conn != nil {
		s.conn.Close()
	}
	s.endReaders()
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
	s.work.Wait()
}
