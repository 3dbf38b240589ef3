package hostagent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"github.com/moby/moby/client"

	"hubledger/services/hostagent/agent"
	"hubledger/services/hostagent/wire"
)

// agentOrders is the variable that makes the test's program an agent.
const agentOrders = "HOSTAGENT_TEST_AGENT"

// orders say what a spawned agent works with.
type orders struct{ Dir, Machine, Name, Engine, Hub, Wire string }

func runAgent(text string) int {
	var o orders
	err := json.Unmarshal([]byte(text), &o)
	var c *client.Client
	if err == nil {
		c, err = client.New(client.WithHost(o.Engine))
	}
	var at *url.URL
	if err == nil {
		at, err = url.Parse(o.Hub)
	}
	var a *agent.Agent
	if err == nil {
		a, err = agent.Open(agent.Config{Dir: o.Dir, Machine: o.Machine, Name: o.Name, Engine: c, Hub: wire.Client{Conn: overHTTP(o.Wire)}, URL: at, Bind: netip.MustParseAddr("127.0.0.1"),
			Times: agent.Times{Probe: 100 * time.Millisecond, Steady: time.Second, Report: time.Second, Unknown: 200 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	a.Run(context.Background())
	return 0
}

// overHTTP is a connection to the hub of the test that has started this program.
type overHTTP string

// Request is of wire.Conn.
func (o overHTTP) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(o)+"/"+operation, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
