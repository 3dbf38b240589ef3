package remote

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/exchange"
)

// A Client is the hub for a builder on another machine: a worker.Hub and a worker.Queue.
type Client struct{ Conn exchange.Conn }

const (
	askWithin  = 10 * time.Second // one attempt
	nextWithin = 30 * time.Second // longer than the hub lets a builder wait
	retryPause = 500 * time.Millisecond
)

// ask makes one request. The error wraps worker.ErrRevoked when the hub does not let the
// machine in.
func (c Client) ask(ctx context.Context, within time.Duration, operation string, in, out any) error {
	return codes.Ask(ctx, c.Conn, within, operation, in, out)
}

// insist asks until the hub has answered, as long as a builder goes on without it: a
// hub that is started again does not end builds. What the hub has done although its
// answer was lost is then done twice: a step or a piece of the log may be there twice.
func (c Client) insist(ctx context.Context, operation string, in, out any) error {
	for end := time.Now().Add(worker.Unheard); ; {
		err := c.ask(ctx, askWithin, operation, in, out)
		if err == nil || exchange.Final(err) || errors.Is(err, worker.ErrRevoked) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(retryPause):
		}
	}
}

// Next is of worker.Queue.
func (c Client) Next(ctx context.Context) (a *worker.Assignment, err error) {
	err = c.ask(ctx, nextWithin, opNext, nil, &a)
	return a, err
}

// Renew is of worker.Queue.
func (c Client) Renew(ctx context.Context, o worker.Offer, have []worker.Claim) (gone []worker.Claim, err error) {
	err = c.ask(ctx, askWithin, opRenew, renewal{o, have}, &gone)
	return gone, err
}

// Say is of worker.Hub.
func (c Client) Say(ctx context.Context, claim worker.Claim, p events.Payload) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.insist(ctx, opSay, saying{claim, p.EventType(), data}, nil)
}

// Log is of worker.Hub.
func (c Client) Log(ctx context.Context, claim worker.Claim, step int, data []byte) error {
	return c.insist(ctx, opLog, chunk{claim, step, data}, nil)
}

// Token is of worker.Hub.
func (c Client) Token(ctx context.Context, claim worker.Claim, repository string, push bool) (string, time.Time, error) {
	var t exchange.Token
	err := c.insist(ctx, opToken, tokenRequest{claim, repository, push}, &t)
	return t.Token, time.Now().Add(t.Lasts), err
}
