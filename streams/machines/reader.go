package machines

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"hubledger/streams/relay"
)

// A reader is one of the log that is connected, perhaps several times.
type reader struct {
	relay   *relay.Relay
	clients []uint64 // connections, also such as have ended
	ended   chan struct{}
}

// reapEvery is how often the relays of readers that have gone are looked for.
const reapEvery = 5 * time.Second

var (
	errNoReaders = errors.New("nobody can read the log here")
	errReaders   = fmt.Errorf("%d readers of the log are connected, as many as can be", maxReaders)
	errReading   = fmt.Errorf("this reader of the log has %d connections, as many as one can have", maxReading)
)

// account is the name of a reader's.
func account(id string) string { return "reader-" + id }

// admitReader lets a reader in, to its own account only, and starts its relay if it has none.
func (g gate) admitReader(c server.ClientAuthentication, id string) error {
	if g.config.Relay == nil {
		return errNoReaders
	}
	own, _ := g.ns.LookupOrRegisterAccount(account(id))
	g.reading.Lock() // one after the other: two connections of one reader have one relay
	defer g.reading.Unlock()
	g.mu.Lock()
	r := g.readers[id]
	full := r == nil && len(g.readers) >= maxReaders
	if r != nil {
		r.clients = slices.DeleteFunc(r.clients, func(client uint64) bool { return g.ns.GetClient(client) == nil })
		if len(r.clients) >= maxReading {
			g.mu.Unlock()
			return errReading
		}
		r.clients = append(r.clients, c.GetID())
	}
	g.mu.Unlock()
	if full {
		return errReaders
	}
	if r == nil {
		to, err := nats.Connect("", nats.InProcessServer(g.ns), nats.UserInfo(hubUser+"/"+id, g.password), nats.Name("relay"), nats.MaxReconnects(-1))
		if err != nil {
			return err
		}
		relay, err := g.config.Relay(to, id)
		if err != nil {
			to.Close()
			return err
		}
		r = &reader{relay: relay, clients: []uint64{c.GetID()}, ended: make(chan struct{})}
		g.mu.Lock()
		g.readers[id] = r
		g.mu.Unlock()
		g.work.Go(func() { g.reap(id, r) })
	}
	c.RegisterUser(&server.User{Username: id, Account: own, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: relay.Allowed(g.config.Stream)},
		Subscribe: &server.SubjectPermission{Allow: []string{relay.Inbox}},
	}})
	return nil
}

// admitRelay lets the hub into the account of a reader.
func (g gate) admitRelay(c server.ClientAuthentication, id string) bool {
	own, _ := g.ns.LookupOrRegisterAccount(account(id))
	c.RegisterUser(&server.User{Username: hubUser, Account: own})
	return true
}

// connected says whether one of the reader's connections is there. s.mu is held.
func (r *reader) connected(ns *server.Server) bool {
	return slices.ContainsFunc(r.clients, func(client uint64) bool { return ns.GetClient(client) != nil })
}

// reap ends the relay of a reader that has gone.
func (s *Server) reap(id string, r *reader) {
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ended:
			return
		case <-tick.C:
		}
		s.reading.Lock()
		s.mu.Lock()
		gone := !r.connected(s.ns)
		s.mu.Unlock()
		if gone {
			s.endReader(id)
		}
		s.reading.Unlock()
	}
}

// endReader ends the connections of a reader, and its relay.
func (s *Server) endReader(id string) {
	s.mu.Lock()
	r := s.readers[id]
	delete(s.readers, id)
	s.mu.Unlock()
	if r == nil {
		return
	}
	r.relay.Close()
	for _, client := range r.clients {
		s.ns.DisconnectClientByID(client) // an error: it has ended already
	}
	close(r.ended)
}

func (s *Server) endReaders() {
	s.mu.Lock()
	ids := make([]string, 0, len(s.readers))
	for id := range s.readers {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.endReader(id)
	}
}
