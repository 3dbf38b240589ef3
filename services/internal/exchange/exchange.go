// Package exchange is how machines, such as builders and hosts, ask the hub and are
// answered: one request and one answer, in JSON.
package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Conn is the connection of a machine to the hub.
type Conn interface {
	// Request asks the hub and returns its answer. An error that says that the machine was
	// revoked is final; after any other it may work later.
	Request(ctx context.Context, operation string, data []byte) ([]byte, error)
}

// Codes are the errors that a machine tells apart, by what stands for them in answers.
type Codes map[string]error

// A Token is one for the registry.
type Token struct {
	Token string        `json:"token"`
	Lasts time.Duration `json:"lasts"` // nanoseconds: the clocks of two machines differ
}

// An answer has an error or a value.
type answer struct {
	Error *failure        `json:"error,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

type failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// failed is the code of every other error: the hub could not do it now.
const failed = "failed"

func (c Codes) failureOf(err error) *failure {
	for code, known := range c {
		if errors.Is(err, known) {
			return &failure{code, err.Error()}
		}
	}
	return &failure{failed, "the hub could not do it"} // the cause is the hub's own business
}

// Answer is what a machine is to be answered: the value, or the error. who is the kind of
// the machine, for the hub's own log.
func (c Codes) Answer(ctx context.Context, logger *slog.Logger, who, operation string, value any, err error) []byte {
	var a answer
	if err == nil {
		a.Value, err = json.Marshal(value)
	}
	if err != nil {
		a = answer{Error: c.failureOf(err)}
		if a.Error.Code == failed && ctx.Err() == nil {
			logger.Warn("a "+who+"'s request failed", "operation", operation, "error", err)
		}
	}
	encoded, _ := json.Marshal(a) // of raw JSON and strings: cannot fail
	return encoded
}

// Read reads a request. What cannot be read is an error that wraps bad.
func Read(data []byte, into any, bad error) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", bad, err)
	}
	return nil
}

// Ask makes one request, and reads its answer into out if that is not nil. An error of the
// hub's wraps that of its code.
func (c Codes) Ask(ctx context.Context, conn Conn, within time.Duration, operation string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if data, err = conn.Request(ctx, operation, data); err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	if a.Error != nil {
		return &toldError{a.Error.Text, c[a.Error.Code]}
	}
	if out == nil || len(a.Value) == 0 {
		return nil
	}
	return json.Unmarshal(a.Value, out)
}

// Final says whether the hub has answered with an error of a code: asking again is of no
// use.
func Final(err error) bool {
	var told *toldError
	return errors.As(err, &told) && told.kind != nil
}

// A toldError is what the hub has answered.
type toldError struct {
	text string
	kind error // of the codes; nil: it may work when it is tried again
}

func (e *toldError) Error() string { return e.text }
func (e *toldError) Unwrap() error { return e.kind }
