package wire

import (
	"context"
	"time"

	"hubledger/services/internal/exchange"
	"hubledger/services/internal/hosting"
)

// A Client is the hub for a host.
type Client struct{ Conn exchange.Conn }

const (
	askWithin  = 10 * time.Second
	syncWithin = 30 * time.Second // longer than the hub lets a host wait
)

// ask makes one request. The error wraps ErrRevoked when the hub does not let the machine
// in.
func (c Client) ask(ctx context.Context, within time.Duration, operation string, in, out any) error {
	return codes.Ask(ctx, c.Conn, within, operation, in, out)
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

// Look is of Hub.
func (c Client) Look(ctx context.Context) (*hosting.Look, error) {
	var q question
	err := c.ask(ctx, syncWithin, opLook, struct{}{}, &q)
	return q.Look, err
}

// Told is of Hub.
func (c Client) Told(ctx context.Context, id string, s hosting.Sight) error {
	return c.ask(ctx, askWithin, opTold, told{id, s}, nil)
}

// Token is of Hub.
func (c Client) Token(ctx context.Context, repository string) (string, time.Time, error) {
	var t exchange.Token
	err := c.ask(ctx, askWithin, opToken, tokenRequest{repository}, &t)
	return t.Token, time.Now().Add(t.Lasts), err
}
