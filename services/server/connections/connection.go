package connections

import (
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// stalled is how long a client may take to receive one piece of an answer.
	stalled = time.Minute
	// piece is how much of an answer is sent under one deadline, in bytes.
	piece = 256 << 10
	// rearmed is how often the deadline is set, at most.
	rearmed = stalled / 12
)

// A connection ends an answer that its client does not read. It sets the deadline of
// every piece that is written, whoever writes it: answers of any size, many
// answers in a row, TLS records, and files that the kernel sends.
type connection struct {
	net.Conn
	of      *Listener
	network netip.Prefix // the zero Prefix when it is not counted by network
	armed   atomic.Int64 // when the deadline was last set, in nanoseconds since begun

	waits        bool // for a request; this and the next are guarded by of.mu
	before, next *connection
}

var begun = time.Now()

// connectionOf is the connection below what an http.Server calls one.
func connectionOf(conn net.Conn) *connection {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	c, _ := conn.(*connection)
	return c
}

// arm gives the client time for the next piece.
func (c *connection) arm() {
	now := time.Now()
	if last, since := c.armed.Load(), int64(now.Sub(begun)); last == 0 || since-last > int64(rearmed) {
		c.armed.Store(since)
		c.Conn.SetWriteDeadline(now.Add(stalled))
	}
}

// SetDeadline is of net.Conn; see SetWriteDeadline.
func (c *connection) SetDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline is of net.Conn. The http.Server removes the deadline after a TLS
// handshake and after each answer: the next piece needs one again.
func (c *connection) SetWriteDeadline(t time.Time) error {
	c.armed.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

func (c *connection) Write(p []byte) (sent int, err error) {
	for {
		part := p[sent:min(len(p), sent+piece)]
		c.arm()
		n, err := c.Conn.Write(part)
		sent += n
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}

// ReadFrom hands a file to the kernel, piece by piece: it sends a file that is read
// through an io.LimitedReader.
func (c *connection) ReadFrom(src io.Reader) (sent int64, err error) {
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for whole.N > 0 {
		c.arm()
		part := &io.LimitedReader{R: whole.R, N: min(whole.N, piece)}
		n, err := io.Copy(c.Conn, part)
		sent += n
		whole.N -= n
		if err != nil || part.N > 0 {
			return sent, err
		}
	}
	return sent, nil
}

// CloseWrite lets the server say that it sends no more, and still read what the
// client sends.
func (c *connection) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

func (c *connection) Close() error {
	c.of.mu.Lock()
	c.of.drop(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
