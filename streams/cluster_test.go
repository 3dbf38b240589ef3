package streams_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"hubledger/events"
	"hubledger/streams"
)

// startCluster starts three real servers and returns their URLs.
func startCluster(t *testing.T) string {
	t.Helper()
	const n = 3
	var ports [n]int
	var routes []string
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
	}
	var urls []string
	for i, port := range ports {
		o := &server.Options{ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: 8 << 20, SyncAlways: true}
		o.Cluster.Name, o.Cluster.Host, o.Cluster.Port = "c", "127.0.0.1", port
		o.Routes = server.RoutesFromStr(strings.Join(routes, ","))
		ns, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		go ns.Start()
		t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
		if !ns.ReadyForConnections(20 * time.Second) {
			t.Fatal("a server of the cluster does not start")
		}
		urls = append(urls, ns.ClientURL())
	}
	return strings.Join(urls, ",")
}

// TestClusterDecidesRaces shows both conflict codes: on a replicated stream a
// write that meets another in flight is told so (10164) and tried again.
func TestClusterDecidesRaces(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("three servers take a while to agree: set HUBLEDGER_SOAK=1")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	urls := startCluster(t)
	l, err := streams.Open(ctx, streams.Config{Dir: t.TempDir(), URL: urls, MaxBytes: 1 << 30, Logger: quiet("").Logger})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(ctx)
	for round := range 50 {
		var wg sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wg.Go(func() {
				_, results[i] = l.Append(ctx, newEvent(t, fmt.Sprint("id-", round, "-", i), fmt.Sprint("name-", round)), 0)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, events.ErrConflict) {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d creations succeeded", round, won)
		}
	}
	if n, err := l.LastSeq(ctx); err != nil || n != 50 {
		t.Errorf("the log has %d events, %v", n, err)
	}
	if err := (&streams.Guard{Log: l, Journal: journalOf(t, l, 50)}).Check(ctx); err != nil {
		t.Error(err)
	}
}
