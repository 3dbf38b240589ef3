package streams

import (
	"errors"

	"github.com/nats-io/nats.go"

	"hubledger/streams/relay"
)

// Relay lets a reader of the log, who has a connection to an account of its own on another
// server, ask for events and for nothing else. Only of a log with an embedded server.
func (l *Log) Relay(to *nats.Conn, reader string) (*relay.Relay, error) {
	if l.server == nil {
		return nil, errors.New("the log is on NATS servers elsewhere: make users of these")
	}
	conn, err := nats.Connect("", l.server.Connection(), nats.Name("reader "+reader), nats.MaxReconnects(-1))
	if err != nil {
		return nil, err
	}
	return relay.Start(conn, to, StreamName, reader, l.log)
}
