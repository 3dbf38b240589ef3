package wire

import (
	"context"
	"encoding/json"
	"time"

	"hubledger/services/internal/hosting"
)

// A Conn is a connection to the hub.
type Conn interface {
	// Request asks the hub and returns its answer. The error wraps ErrRevoked when the
	// hub does not let the machine in; after any other it may work later.
	Request(ctx context.Context, operation string, data []byte) ([]byte, error)
}

// A Client is the hub for a host.
type Client struct{ Conn Conn }

const (
	askWithin  = 10 * time.Second
	syncWithin = 30 * time.Second // longer than the hub lets a host wait
)

// ask makes one request.
func (c Client) ask(ctx context.Context, within time.Duration, operation string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if data, err = c.Conn.Request(ctx, operation, data); err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	if a.Error != nil {
		return &remoteError{a.Error.Text, codes[a.Error.Code]}
	}
	if out == nil || len(a.Value) == 0 {
		return nil
	}
	return json.Unmarshal(a.Value, out)
}

// Sync is of Hub.
func (c Client) Sync(ctx context.Context, generation string, epoch uint64) (*hosting.State, error) {
	var d desired
	err := c.ask(ctx, syncWithin, opSync, position{generation, epoch}, &d)
	return d.State, err
}

// Observed is of Hub.
func (c Client) Observed(ctx context.Context, o hosting.Observation) error {
	return c.ask(ctx, askWithin, opObserved, o, nil)
}

// Token is of Hub.
func (c Client) Token(ctx context.Context, repository string) (string, time.Time, error) {
	var t token
	err := c.ask(ctx, askWithin, opToken, tokenRequest{repository}, &t)
	return t.Token, time.Now().Add(t.Lasts), err
}
