package cage

import (
	"net"
	"sync"
)

// MaxConnections bounds what is open at once of each socket of a cage. The programs in it
// may open as many as they like, and each takes a descriptor and memory of this process,
// which serves other builds too: those beyond the bound wait in the kernel.
const MaxConnections = 500

// A listener takes so many connections at once as it has places.
type listener struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limit(l net.Listener) net.Listener {
	return &listener{Listener: l, places: make(chan struct{}, MaxConnections), closed: make(chan struct{})}
}

// Accept waits for a place, then for a connection. net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	leave := sync.OnceFunc(func() { <-l.places })
	if err != nil {
		leave()
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok { // the sockets of a cage are all of TCP
		leave()
		c.Close()
		return nil, net.UnknownNetworkError(c.LocalAddr().Network())
	}
	return &connection{tcp, leave}, nil
}

// Close ends Accept.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A connection is one that has a place until it is closed. Its halves can be closed one by
// one, as those of any of TCP.
type connection struct {
	*net.TCPConn
	leave func()
}

func (c *connection) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}
