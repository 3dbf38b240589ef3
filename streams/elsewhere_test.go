package streams_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// The node that makes the stream decides by what it was told, or by what the
// servers are. Later nodes take what is there, unless they were told otherwise.
func TestStreamSettings(t *testing.T) {
	t.Parallel()
	type settings struct {
		replicas int
		maxBytes int64
	}
	single, cluster := streamtest.Server, streamtest.Cluster
	for _, c := range []struct {
		name              string
		servers           func(testing.TB) string
		first, has, later settings
		refused           string // by which option the later node is refused
	}{
		{"a single server", single, settings{}, settings{1, -1}, settings{}, ""},
		{"a cluster", cluster, settings{}, settings{3, -1}, settings{3, 0}, ""},
		{"one replica on a cluster", cluster, settings{1, 1 << 20}, settings{1, 1 << 20}, settings{}, ""},
		{"the same settings", single, settings{1, 1 << 20}, settings{1, 1 << 20}, settings{1, 1 << 20}, ""},
		{"another limit", single, settings{0, 1 << 20}, settings{1, 1 << 20}, settings{0, 2 << 20}, "--log-max-bytes"},
		{"a limit where there is none", single, settings{}, settings{1, -1}, settings{0, 2 << 20}, "--log-max-bytes"},
		{"another number of replicas", single, settings{}, settings{1, -1}, settings{3, 0}, "--nats-replicas"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := c.servers(t)
			open := func(s settings) (*streams.Log, error) {
				return streams.Open(t.Context(), streams.Config{Dir: t.TempDir(), URL: url, Replicas: s.replicas, MaxBytes: s.maxBytes, Logger: quiet("").Logger})
			}
			first, err := open(c.first)
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close(context.Background())
			config := streamConfig(t, url, nil)
			if config.Replicas != c.has.replicas || config.MaxBytes != c.has.maxBytes {
				t.Errorf("the stream has %d replicas and %d bytes, not %v", config.Replicas, config.MaxBytes, c.has)
			}
			later, err := open(c.later)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("a later node with other settings: %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				defer later.Close(context.Background())
			}
			after := streamConfig(t, url, nil)
			if after.Replicas != c.has.replicas || after.MaxBytes != c.has.maxBytes {
				t.Errorf("the later node made it %d replicas and %d bytes", after.Replicas, after.MaxBytes)
			}
		})
	}
}

// Replicas and limit can be changed while nodes run: they go on, and keep a
// reserve of the new limit.
func TestStreamSettingsChangeWhileRunning(t *testing.T) {
	t.Parallel()
	url := streamtest.Cluster(t)
	l := mustOpenConfig(t, streams.Config{Dir: t.TempDir(), URL: url, Replicas: 1})
	appendN(t, l, 1, 20)
	g := &streams.Guard{Log: l, Journal: journalOf(t, l, 20)}
	streamConfig(t, url, func(c *jetstream.StreamConfig) { c.Replicas, c.MaxBytes = 3, 4096 })
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), newEvent(t, "id-more", "more"), 0); !errors.Is(err, events.ErrNoSpace) {
		t.Errorf("beyond the new limit: %v", err)
	}
	streamConfig(t, url, func(c *jetstream.StreamConfig) { c.MaxBytes = -1 })
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), newEvent(t, "id-more", "more"), 0); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// streamConfig changes the configuration of EVT as an operator does, unless
// change is nil, and returns it.
func streamConfig(t *testing.T, url string, change func(*jetstream.StreamConfig)) jetstream.StreamConfig {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), streams.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	config := s.CachedInfo().Config
	if change != nil {
		change(&config)
		if _, err := js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// A log in the data directory itself is not left behind without a word.
func TestServersElsewhereLeaveALogHere(t *testing.T) {
	dir := t.TempDir()
	l := mustOpenConfig(t, streams.Config{Dir: dir})
	appendN(t, l, 1, 3)
	mustClose(t, l)
	_, err := streams.Open(t.Context(), streams.Config{Dir: dir, URL: streamtest.Server(t), Logger: quiet("").Logger})
	if err == nil || !strings.Contains(err.Error(), "holds a log of its own") {
		t.Errorf("opened with servers elsewhere: %v", err)
	}
	if err := mustOpenConfig(t, streams.Config{Dir: dir}).ReadOnly(); err != nil {
		t.Errorf("opened again without: %v", err)
	}
}

// A node that starts before its servers waits for them.
func TestNodeStartsBeforeItsServers(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	waiting := make(chan struct{}, 1)
	opened := make(chan error, 1)
	go func() {
		l, err := streams.Open(t.Context(), streams.Config{Dir: t.TempDir(), URL: fmt.Sprint("nats://127.0.0.1:", port), Logger: quiet("").Logger,
			Progress: func(string, int64, int64) {
				select {
				case waiting <- struct{}{}:
				default:
				}
			}})
		if err == nil {
			err = l.Close(context.Background())
		}
		opened <- err
	}()
	<-waiting
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: t.TempDir(),
		NoSigs: true, NoLog: true, MaxPayload: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the node did not start")
	}
}

// A server that would refuse large events is refused at the start.
func TestServerForSmallMessages(t *testing.T) {
	t.Parallel()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	_, err = streams.Open(t.Context(), streams.Config{Dir: t.TempDir(), URL: ns.ClientURL(), Logger: quiet("").Logger})
	if err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("opened: %v", err)
	}
}
