// Package outlet publishes events to a NATS server of somebody else, whose stream keeps them.
package outlet

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// defaultPrefix begins the subjects of what is published, where the URL names no other.
const defaultPrefix = "hubledger"

// ackWithin is how long the server may take to keep an event.
const ackWithin = 30 * time.Second

// An Outlet is a connection to the server.
type Outlet struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	prefix string
}

// Dial connects to a URL such as nats://host:4222/PREFIX, or tls://… . token is what the
// server asks for, "" for nothing; names and passwords may also stand in the URL.
func Dial(address, token string) (*Outlet, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("this is no URL of a NATS server, such as nats://host:4222/PREFIX")
	}
	prefix := strings.ReplaceAll(strings.Trim(u.Path, "/"), "/", ".")
	if prefix == "" {
		prefix = defaultPrefix
	}
	if strings.ContainsAny(prefix, "*> \t\r\n") || strings.Contains(prefix, "..") {
		return nil, fmt.Errorf("%.100q cannot begin subjects", prefix)
	}
	u.Path = ""
	options := []nats.Option{nats.Name("hubledger export"), nats.Timeout(10 * time.Second), nats.MaxReconnects(10)}
	if token != "" {
		options = append(options, nats.Token(token))
	}
	conn, err := nats.Connect(u.String(), options...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", u.Redacted(), err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Outlet{conn: conn, js: js, prefix: prefix}, nil
}

// Publish sends one event, written as text of a media type, and returns when a stream has
// kept it. A stream that has seen the id within its window keeps it once.
func (o *Outlet) Publish(ctx context.Context, id, subject, mediaType string, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	m := &nats.Msg{Subject: o.prefix + "." + subject, Data: text, Header: nats.Header{"Content-Type": {mediaType}, jetstream.MsgIDHeader: {id}}}
	_, err := o.js.PublishMsg(ctx, m)
	if errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("no stream of the server takes the subject %s: make one, such as with `nats stream add --subjects '%s.>'`", m.Subject, o.prefix)
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", m.Subject, err)
	}
	return nil
}

// Close ends the connection.
func (o *Outlet) Close() error {
	o.conn.Close()
	return nil
}
