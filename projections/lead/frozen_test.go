package lead_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// A frozen network closes no connection and carries nothing any more.
type network struct {
	listener net.Listener
	mu       sync.Mutex
	frozen   bool
	conns    []net.Conn
}

// through starts a network in front of a server and returns the URL through it.
func through(t *testing.T, address string) (*network, string) {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{listener: l}
	server := u.Host
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			n.connect(client, server)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, c := range n.conns {
			c.Close()
		}
	})
	u.Host = l.Addr().String()
	return n, u.String()
}

func (n *network) connect(client net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		client.Close()
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, client, server)
	go n.carry(client, server)
	go n.carry(server, client)
}

func (n *network) carry(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		n.mu.Lock()
		frozen := n.frozen
		n.mu.Unlock()
		if frozen {
			io.Copy(io.Discard, from)
			return
		}
		if _, werr := to.Write(buf[:k]); err != nil || werr != nil {
			from.Close()
			to.Close()
			return
		}
	}
}

func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = true
}

// A leader notices that it does not reach the server, although nobody says so.
func TestFrozenNetworkEndsTheLead(t *testing.T) {
	n, url := through(t, postgres.URL(t))
	var leaders atomic.Int32
	leader := start(t, url, &leaders)
	<-leader.began
	n.freeze()
	<-leader.ended
}
