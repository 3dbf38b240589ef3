package machines_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"hubledger/streams"
	"hubledger/streams/machines"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A world is a server with machines.
type world struct {
	*machines.Server
	t    testing.TB
	cas  *x509.CertPool
	mu   sync.Mutex
	keys map[string]string // public key: machine
	got  []string          // machine, operation and data of the requests that came
	hold chan struct{}     // not nil: answers to a wait for it
	held atomic.Int32      // that do
}

func newWorld(t testing.TB, log ...*streams.Log) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"hub.test"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	cert, err := x509.ParseCertificate(der)
	check(t, err)
	w := &world{t: t, cas: x509.NewCertPool(), keys: map[string]string{}}
	w.cas.AddCert(cert)
	c := machines.Config{Address: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		Machine: func(_ context.Context, key string) (machines.Machine, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if id := w.keys[key]; id != "" {
				return machines.Machine{ID: id, Reader: len(log) > 0 && id[0] == 'r'}, nil
			}
			return machines.Machine{}, errors.New("unknown")
		},
		Answer: func(_ context.Context, machine, operation string, data []byte) []byte {
			if w.hold != nil && machine == "a" {
				w.held.Add(1)
				<-w.hold
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.got = append(w.got, machine+" "+operation+" "+string(data))
			return []byte(machine + " said " + string(data))
		}, Logger: quiet}
	if len(log) > 0 {
		c.Stream, c.Relay = streams.StreamName, log[0].Relay
	}
	w.Server, err = machines.Start(c)
	check(t, err)
	t.Cleanup(w.Close)
	return w
}

func tlsOf(w *world) *tls.Config { return &tls.Config{ServerName: "hub.test", RootCAs: w.cas} }

// enroll makes a machine that may connect.
func (w *world) enroll(id string) (seed []byte) {
	w.t.Helper()
	seed, public, err := machines.NewKey()
	check(w.t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[public] = id
	return seed
}

func (w *world) dial(id string, seed []byte) *machines.Conn {
	w.t.Helper()
	c, err := machines.Dial(machines.DialConfig{Address: w.Address(), ServerName: "hub.test", CAs: w.cas, Machine: id, Seed: seed, Logger: quiet})
	check(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

// ask asks until there is an answer, or another error than that of a hub that cannot be
// reached.
func (w *world) ask(c *machines.Conn, operation, data string) (string, error) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		answer, err := c.Request(ctx, operation, []byte(data))
		cancel()
		if !errors.Is(err, machines.ErrUnreachable) || time.Now().After(end) {
			return string(answer), err
		}
	}
}

func TestRequest(t *testing.T) {
	w := newWorld(t)
	a, b := w.dial("a", w.enroll("a")), w.dial("b", w.enroll("b"))
	for machine, c := range map[string]*machines.Conn{"a": a, "b": b} {
		if got, err := w.ask(c, "say", "x"); err != nil || got != machine+" said x" {
			t.Errorf("%s was answered %q, %v", machine, got, err)
		}
	}
	if _, err := a.Request(t.Context(), "say", bytes.Repeat([]byte("x"), machines.MaxMessage)); err == nil {
		t.Error("a request that is too large was sent")
	}
	large := strings.Repeat("x", machines.MaxMessage-(4<<10))
	if got, err := w.ask(a, "log", large); err == nil && len(got) != len(large)+len("a said ") {
		t.Errorf("%d bytes came back", len(got))
	}
}

// A machine that is revoked is cut off at once and not let in again; one that is
// enrolled is let in without a restart.
func TestRevoke(t *testing.T) {
	w := newWorld(t)
	seed := w.enroll("a")
	c := w.dial("a", seed)
	_, err := w.ask(c, "say", "x")
	check(t, err)
	w.mu.Lock()
	clear(w.keys)
	w.mu.Unlock()
	w.Disconnect("a")
	if w.Connected("a") {
		t.Error("it is still connected")
	}
	if _, err := w.ask(c, "say", "y"); !errors.Is(err, machines.ErrRefused) {
		t.Errorf("after that: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := strings.Join(w.got, "\n"); all != "a say x" {
		t.Errorf("these requests came:\n%s", all)
	}
}

// Nobody comes in without a key that the hub knows, or with only the public half of one.
func TestOnlyMachines(t *testing.T) {
	w := newWorld(t)
	seed := w.enroll("a")
	pair, err := nkeys.FromSeed(seed)
	check(t, err)
	public, err := pair.PublicKey()
	check(t, err)
	other, err := nkeys.CreateUser()
	check(t, err)
	strange, err := other.PublicKey()
	check(t, err)
	secure := []nats.Option{nats.Secure(&tls.Config{ServerName: "hub.test", RootCAs: w.cas}), nats.TLSHandshakeFirst(), nats.Timeout(5 * time.Second)}
	for name, opts := range map[string][]nats.Option{
		"no key":           secure,
		"an unknown key":   append(secure, nats.Nkey(strange, other.Sign)),
		"a stolen name":    append(secure, nats.Nkey(public, other.Sign)),
		"the hub's name":   append(secure, nats.UserInfo("hub", "")),
		"a machine's name": append(secure, nats.UserInfo("a", "a")),
		"without TLS":      {nats.Nkey(public, pair.Sign), nats.Timeout(500 * time.Millisecond)},
	} {
		if nc, err := nats.Connect("nats://"+w.Address(), opts...); err == nil {
			nc.Close()
			t.Errorf("%s was let in", name)
		}
	}
	plain, err := net.Dial("tcp", w.Address())
	check(t, err)
	defer plain.Close()
	plain.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, _ := plain.Read(make([]byte, 1)); n > 0 {
		t.Error("the server says something before TLS")
	}
	if _, err := machines.Dial(machines.DialConfig{Address: w.Address(), ServerName: "hub.test", Machine: "a", Seed: []byte("no seed"), Logger: quiet}); err == nil {
		t.Error("a key that is none is used")
	}
}

// A hostile machine reaches its own requests and its own inbox, and nothing else: no
// other machine's, no log, no JetStream, no system; and the hub answers nobody else in
// its stead.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	victim := w.dial("b", w.enroll("b"))
	_, err := w.ask(victim, "say", "x")
	check(t, err)
	pair, err := nkeys.FromSeed(w.enroll("a"))
	check(t, err)
	public, err := pair.PublicKey()
	check(t, err)
	refused := make(chan string, 100)
	nc, err := nats.Connect("tls://"+w.Address(), nats.Secure(&tls.Config{ServerName: "hub.test", RootCAs: w.cas}), nats.TLSHandshakeFirst(), nats.Nkey(public, pair.Sign),
		nats.CustomInboxPrefix("answer.a"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err.Error() }))
	check(t, err)
	defer nc.Close()
	heard := make(chan *nats.Msg, 100)
	bad := []string{">", "*", "machine.>", "machine.*.*", "machine.a.>", "machine.b.say", "answer.>", "answer.*.>", "answer.b.>", "evt.>", "$KV.SECRETS.>", "$JS.>", "$SYS.>", "_INBOX.>", "log.>"}
	for _, subject := range bad {
		_, err := nc.ChanSubscribe(subject, heard)
		check(t, err)
	}
	send := []string{"machine.b.say", "machine.b.log", "machine.a.b.say", "machine.a", "answer.b.x", "evt._.hub._", "$JS.API.INFO", "$JS.API.STREAM.INFO.EVT", "$JS.API.STREAM.MSG.GET.EVT",
		"$JS.API.DIRECT.GET.EVT.evt._.hub._", "$KV.SECRETS.x", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "log.x", "_INBOX.x"}
	for _, subject := range send {
		check(t, nc.PublishRequest(subject, "answer.a.x", []byte("hostile")))
	}
	// It asks the hub to answer in another's inbox, at a stream's subject, and on its own.
	for _, reply := range []string{"answer.b.x", "evt._.hub._", "machine.b.say", "answer.b", "answer.ab.x", "answer.a"} {
		check(t, nc.PublishRequest("machine.a.say", reply, []byte("hostile reply")))
	}
	got, err := nc.RequestWithContext(t.Context(), "machine.a.say", []byte("good"))
	check(t, err)
	if string(got.Data) != "a said good" {
		t.Errorf("it was answered %q", got.Data)
	}
	_, err = w.ask(victim, "say", "y")
	check(t, err)
	check(t, nc.FlushTimeout(5*time.Second))
	for range len(bad) + len(send) {
		select {
		case text := <-refused:
			if !strings.Contains(strings.ToLower(text), "permissions violation") {
				t.Error(text)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not everything was refused")
		}
	}
	if len(heard) > 0 {
		m := <-heard
		t.Errorf("it heard %s: %q", m.Subject, m.Data)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := strings.Join(w.got, "\n"); all != "b say x\na say good\nb say y" {
		t.Errorf("these requests came:\n%s", all)
	}
	// What is longer than a request may be is not answered.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := nc.RequestWithContext(ctx, "machine.a.say", bytes.Repeat([]byte("x"), machines.MaxMessage+1)); err == nil {
		t.Error("a request that is too long is answered")
	}
	if js, err := nc.JetStream(); err == nil {
		if _, err := js.AccountInfo(nats.MaxWait(time.Second)); err == nil {
			t.Error("it reaches a JetStream")
		}
	}
}

// A machine that asks more than may be answered at once does not keep the hub from
// answering others.
func TestFlood(t *testing.T) {
	w := newWorld(t)
	w.hold = make(chan struct{})
	a, b := w.dial("a", w.enroll("a")), w.dial("b", w.enroll("b"))
	var work sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 200 {
		work.Go(func() { a.Request(ctx, "next", nil) })
	}
	_, err := w.ask(b, "say", "x")
	check(t, err)
	cancel()
	work.Wait()
	if n := w.held.Load(); n > 32 {
		t.Errorf("%d requests of one machine were worked on at the same time", n)
	}
	close(w.hold)
}

// An address that is in use is an error that says so.
func TestAddressInUse(t *testing.T) {
	w := newWorld(t)
	_, err := machines.Start(machines.Config{Address: w.Address(), TLS: &tls.Config{}, Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}
