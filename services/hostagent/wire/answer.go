package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"hubledger/services/internal/hosting"
)

// A Hub is what the requests of one host are about.
type Hub interface {
	// Sync is the host's state once it is another than the one of this generation and
	// epoch; nil when that has not changed for a while.
	Sync(ctx context.Context, generation string, epoch uint64) (*hosting.State, error)
	// Observed takes what the host sees. ErrReport.
	Observed(ctx context.Context, o hosting.Observation) error
	// Token is one for the registry, to pull from a repository. ErrDenied.
	Token(ctx context.Context, repository string) (text string, ends time.Time, err error)
}

const maxName = 512 // bytes of a repository's name

// Answer does what a host asks of the hub, and returns what it is to be answered. What it
// asks is not trusted.
func Answer(ctx context.Context, hub Hub, logger *slog.Logger, operation string, data []byte) []byte {
	value, err := do(ctx, hub, operation, data)
	var a answer
	if err == nil {
		a.Value, err = json.Marshal(value)
	}
	if err != nil {
		a = answer{Error: failureOf(err)}
		if a.Error.Code == failed && ctx.Err() == nil {
			logger.Warn("a host's request failed", "operation", operation, "error", err)
		}
	}
	encoded, _ := json.Marshal(a) // of raw JSON and strings: cannot fail
	return encoded
}

func do(ctx context.Context, hub Hub, operation string, data []byte) (any, error) {
	switch operation {
	case opSync:
		var in position
		if err := read(data, &in); err != nil {
			return nil, err
		}
		state, err := hub.Sync(ctx, in.Generation, in.Epoch)
		return desired{state}, err
	case opObserved:
		var in hosting.Observation
		if err := read(data, &in); err != nil {
			return nil, err
		}
		return nil, hub.Observed(ctx, in)
	case opToken:
		var in tokenRequest
		if err := read(data, &in); err != nil {
			return nil, err
		}
		if in.Repository == "" || len(in.Repository) > maxName {
			return nil, fmt.Errorf("%w: the name of a repository has 1 to %d bytes", ErrReport, maxName)
		}
		text, ends, err := hub.Token(ctx, in.Repository)
		return token{text, time.Until(ends)}, err
	}
	return nil, fmt.Errorf("%w: %.20q is no request of a host", ErrReport, operation)
}

func read(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", ErrReport, err)
	}
	return nil
}
