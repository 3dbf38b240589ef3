package enrolment

import (
	"context"
	"errors"
	"fmt"

	"hubledger/streams/machines"
)

// A Connection tells a machine that was revoked from a hub that does not answer.
type Connection struct {
	*machines.Conn
	Revoked error // what the error of a machine that was revoked wraps
}

// Request is of exchange.Conn.
func (c Connection) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	answer, err := c.Conn.Request(ctx, operation, data)
	if errors.Is(err, machines.ErrRefused) {
		err = fmt.Errorf("%w: %w", c.Revoked, err)
	}
	return answer, err
}
