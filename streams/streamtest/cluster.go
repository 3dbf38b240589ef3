package streamtest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Cluster starts three NATS servers with JetStream, as large as a log wants
// them, and returns their URLs by commas. They end with the test.
func Cluster(t testing.TB) string {
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
			JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 60, MaxPayload: 8 << 20, SyncAlways: true}
		o.Cluster.Name, o.Cluster.Host, o.Cluster.Port = "c", "127.0.0.1", port
		o.Routes = server.RoutesFromStr(strings.Join(routes, ","))
		ns, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		go ns.Start()
		t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
		if !ns.ReadyForConnections(time.Minute) {
			t.Fatal("a server of the cluster does not start")
		}
		urls = append(urls, ns.ClientURL())
	}
	return strings.Join(urls, ",")
}
