package streams_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// A proxy stands between a log and its server and loses what it is told to.
type proxy struct {
	net.Listener
	to string

	mu               sync.Mutex
	conns            []net.Conn
	deaf, mute, shut bool // loses what the log sends; loses what the server answers; takes no connections
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: ln, to: to}
	t.Cleanup(func() { ln.Close(); p.cut() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.to)
	p.mu.Lock()
	if err != nil || p.shut {
		p.mu.Unlock()
		client.Close()
		return
	}
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	go p.pass(server, client, &p.deaf)
	p.pass(client, server, &p.mute)
}

func (p *proxy) pass(to io.WriteCloser, from io.ReadCloser, lose *bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		lost := *lose
		p.mu.Unlock()
		if !lost && n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) lose(deaf, mute bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf, p.mute = deaf, mute
}

// cut ends all connections; from then on everything is passed on again.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns, p.deaf, p.mute = nil, false, false
}

// remoteLog is a log on a server elsewhere, behind a proxy, and somebody
// else's direct connection to that server.
func remoteLog(t *testing.T) (*streams.Log, *proxy, jetstream.JetStream) {
	t.Helper()
	url := streamtest.Server(t)
	p := startProxy(t, strings.TrimPrefix(url, "nats://"))
	l := mustOpenConfig(t, streams.Config{Dir: t.TempDir(), URL: "nats://" + p.Addr().String(), Replicas: 1, MaxBytes: 1 << 30})
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return l, p, js
}

// stored waits until the stream has that many messages.
func stored(t *testing.T, js jetstream.JetStream, n uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := js.OrderedConsumer(ctx, streams.StreamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: n})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(jetstream.FetchContext(ctx)); err != nil {
		t.Fatalf("message %d was not stored: %v", n, err)
	}
}

// foreign puts an event of somebody else on a subject.
func foreign(t *testing.T, js jetstream.JetStream, e events.Event) {
	t.Helper()
	m := nats.NewMsg(e.Subject)
	m.Header["ce-id"] = []string{"foreign"}
	if _, err := js.PublishMsg(context.Background(), m); err != nil {
		t.Fatal(err)
	}
}

func TestLostAcknowledgement(t *testing.T) {
	for _, c := range []struct {
		name   string
		expect uint64
		after  bool // somebody else appends to the subject before the retry
	}{
		{"nothing expected", events.AnySeq, false},
		{"a sequence expected", 0, false},
		{"a sequence expected, somebody else follows", 0, true},
		{"nothing expected, somebody else follows", events.AnySeq, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, p, js := remoteLog(t)
			appendN(t, l, 1, 3)
			e := newEvent(t, "id-x", "x")
			p.lose(false, true)
			type answer struct {
				seq uint64
				err error
			}
			got := make(chan answer, 1)
			go func() {
				seq, err := l.Append(context.Background(), e, c.expect)
				got <- answer{seq, err}
			}()
			stored(t, js, 4)
			if c.after {
				foreign(t, js, e)
			}
			p.cut()
			if a := <-got; a.err != nil || a.seq != 4 {
				t.Errorf("append: %d, %v", a.seq, a.err)
			}
			want := uint64(4)
			if c.after {
				want++
			}
			if n, err := l.LastSeq(context.Background()); err != nil || n != want {
				t.Errorf("the log has %d events, %v", n, err)
			}
		})
	}
}

func TestLostMessage(t *testing.T) {
	t.Parallel()
	l, p, js := remoteLog(t)
	appendN(t, l, 1, 3)
	e := newEvent(t, "id-x", "x")
	p.lose(true, true)
	got := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), e, 0)
		got <- err
	}()
	foreign(t, js, e)
	p.cut()
	if err := <-got; !errors.Is(err, events.ErrConflict) {
		t.Errorf("somebody else was first: %v", err)
	}
	if n, err := l.LastSeq(context.Background()); err != nil || n != 4 {
		t.Errorf("the log has %d events, %v", n, err)
	}
}

func TestUnknownOutcomeIsSaid(t *testing.T) {
	t.Parallel()
	l, p, js := remoteLog(t)
	ctx, cancel := context.WithCancel(context.Background())
	p.lose(false, true)
	e := newEvent(t, "id-x", "x")
	got := make(chan error, 1)
	go func() {
		_, err := l.Append(ctx, e, 0)
		got <- err
	}()
	stored(t, js, 1)
	cancel()
	if err := <-got; !errors.Is(err, streams.ErrUncertain) || !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gives up: %v", err)
	}
	p.cut()
	if seq, err := l.Append(context.Background(), e, 0); err != nil || seq != 1 {
		t.Errorf("asking again: %d, %v", seq, err)
	}
}

func TestFollowSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	l, p, _ := remoteLog(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const n, cuts = 300, 3
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for i := 1; i <= n; i++ {
			if _, err := l.Append(ctx, newEvent(t, fmt.Sprint("id-", i), fmt.Sprint("name-", i)), events.AnySeq); err != nil {
				t.Errorf("append %d: %v", i, err)
				return
			}
		}
	})
	done := errors.New("done")
	next, cut := uint64(1), 0
	err := l.Follow(ctx, 0, 10, func(batch []events.Event) error {
		for i := range batch {
			if batch[i].Seq != next {
				return fmt.Errorf("event %d came, %d was due", batch[i].Seq, next)
			}
			next++
		}
		if next > uint64(n*(cut+1)/(cuts+1)) && cut < cuts {
			cut++
			p.cut()
		}
		if next == n+1 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || cut != cuts {
		t.Errorf("followed up to %d over %d cuts: %v", next-1, cut, err)
	}
}

func TestRemoteStreamIsGuarded(t *testing.T) {
	t.Parallel()
	l, _, js := remoteLog(t)
	appendN(t, l, 1, 20)
	g := &streams.Guard{Log: l, Journal: journalOf(t, l, 20)}
	if err := g.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := update(func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Discard = 2, jetstream.DiscardOld })(context.Background(), js); err != nil {
		t.Fatal(err)
	}
	refusedNow(t, g, streams.ReasonConfig)
}

// A node that has met no log yet takes one elsewhere for what its servers say
// it is; which of two nodes makes it is decided there.
func TestNodesShareALog(t *testing.T) {
	url := streamtest.Server(t)
	open := func() (*streams.Log, error) {
		return streams.Open(context.Background(), streams.Config{Dir: t.TempDir(), URL: url, Replicas: 1, MaxBytes: 1 << 30, Logger: quiet("").Logger})
	}
	var logs [4]*streams.Log
	var errs [4]error
	var opening sync.WaitGroup
	for i := range logs {
		opening.Go(func() { logs[i], errs[i] = open() })
	}
	opening.Wait()
	for i, l := range logs {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		defer l.Close(context.Background())
		if _, err := l.Append(context.Background(), newEvent(t, fmt.Sprint("id-", i), fmt.Sprint("name-", i)), 0); err != nil {
			t.Error(err)
		}
	}
	late, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close(context.Background())
	if err := late.ReadOnly(); err != nil || late.Generation() != logs[0].Generation() {
		t.Errorf("the log is %q, here %q: %v", logs[0].Generation(), late.Generation(), err)
	}
	if n, err := late.LastSeq(context.Background()); err != nil || n != uint64(len(logs)) {
		t.Errorf("%d events, %v", n, err)
	}
}
