package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// errNoAck: the message was sent and no acknowledgement arrived in time. It may
// be in the log or not.
var errNoAck = errors.New("no acknowledgement")

// A publisher sends messages over one connection, in order, and gives each
// acknowledgement to whoever waits for it.
type publisher struct {
	conn  *nats.Conn
	inbox string

	mu      sync.Mutex
	last    time.Time // the log time of the last message
	next    uint64
	waiting map[string]chan *nats.Msg
}

// An ack is the server's acknowledgement of a stored message.
type ack struct {
	Stream    string              `json:"stream"`
	Seq       uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	Error     *jetstream.APIError `json:"error"`
}

func newPublisher(conn *nats.Conn) (*publisher, error) {
	p := &publisher{conn: conn, inbox: nats.NewInbox() + ".", waiting: map[string]chan *nats.Msg{}}
	conn.SetReconnectHandler(p.reconnected)
	_, err := conn.Subscribe(p.inbox+"*", p.receive)
	return p, err
}

func (p *publisher) receive(m *nats.Msg) {
	token := strings.TrimPrefix(m.Subject, p.inbox)
	p.mu.Lock()
	ch := p.waiting[token]
	delete(p.waiting, token)
	p.mu.Unlock()
	if ch != nil {
		ch <- m
	}
}

// reconnected ends every wait: the acknowledgements on the old connection are lost.
func (p *publisher) reconnected(*nats.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ch := range p.waiting {
		close(ch)
	}
	clear(p.waiting)
}

// publish stamps the message with the log time, sends it and waits for its
// acknowledgement. The error wraps errNoAck when none arrived, and is a
// *jetstream.APIError when the server refused.
func (p *publisher) publish(ctx context.Context, m *nats.Msg, wait time.Duration) (ack, error) {
	token, ch, err := p.send(m)
	if err != nil {
		return ack{}, fmt.Errorf("%w: %w", errNoAck, err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case answer, ok := <-ch:
		if ok {
			return readAck(answer)
		}
		return ack{}, fmt.Errorf("%w: the connection was lost", errNoAck)
	case <-timer.C:
		err = errNoAck
	case <-ctx.Done():
		err = fmt.Errorf("%w: %w", errNoAck, context.Cause(ctx))
	}
	p.mu.Lock()
	delete(p.waiting, token)
	p.mu.Unlock()
	return ack{}, err
}

// send holds the lock from taking the time until the message is in the
// connection's buffer, so that log time rises with the sequence.
func (p *publisher) send(m *nats.Msg) (string, chan *nats.Msg, error) {
	ch := make(chan *nats.Msg, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	token := strconv.FormatUint(p.next, 36)
	m.Reply = p.inbox + token
	m.Header[events.AttrTime] = []string{p.now().Format(events.TimeLayout)}
	if err := p.conn.PublishMsg(m); err != nil {
		return "", nil, err
	}
	p.waiting[token] = ch
	return token, ch, nil
}

// now is the clock's time, but always later than that of the message before.
func (p *publisher) now() time.Time {
	t := time.Now().UTC().Truncate(time.Microsecond)
	if !t.After(p.last) {
		t = p.last.Add(time.Microsecond)
	}
	p.last = t
	return t
}

// notBefore makes every later log time follow t, that of the log's last event.
func (p *publisher) notBefore(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.After(p.last) {
		p.last = t
	}
}

func readAck(m *nats.Msg) (ack, error) {
	if len(m.Data) == 0 && m.Header.Get("Status") != "" {
		return ack{}, fmt.Errorf("%w: status %s: no stream listens", errNoAck, m.Header.Get("Status"))
	}
	var a ack
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return ack{}, fmt.Errorf("acknowledgement %q: %w", m.Data, err)
	}
	if a.Error != nil {
		return ack{}, a.Error
	}
	if a.Stream != StreamName || a.Seq == 0 {
		return ack{}, fmt.Errorf("acknowledgement %q is not of stream %s", m.Data, StreamName)
	}
	return a, nil
}
