package wire

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"hubledger/services/internal/exchange"
	"hubledger/services/internal/hosting"
)

// A Hub is what the requests of one host are about.
type Hub interface {
	// Sync is the host's state once it is another than the one of this generation and
	// epoch; nil when that has not changed for a while.
	Sync(ctx context.Context, generation string, epoch uint64) (*hosting.State, error)
	// Observed takes what the host sees. ErrReport.
	Observed(ctx context.Context, o hosting.Observation) error
	// Look is what somebody wants to know of a container of the host; nil when nobody did
	// for a while.
	Look(ctx context.Context) (*hosting.Look, error)
	// Told answers the question with that id. ErrReport.
	Told(ctx context.Context, id string, s hosting.Sight) error
	// Token is one for the registry, to pull from a repository. ErrDenied.
	Token(ctx context.Context, repository string) (text string, ends time.Time, err error)
}

const maxName = 512 // bytes of a repository's name

// Answer does what a host asks of the hub, and returns what it is to be answered. What it
// asks is not trusted.
func Answer(ctx context.Context, hub Hub, logger *slog.Logger, operation string, data []byte) []byte {
	value, err := do(ctx, hub, operation, data)
	return codes.Answer(ctx, logger, "host", operation, value, err)
}

func do(ctx context.Context, hub Hub, operation string, data []byte) (any, error) {
	switch operation {
	case opSync:
		var in position
		if err := exchange.Read(data, &in, ErrReport); err != nil {
			return nil, err
		}
		state, err := hub.Sync(ctx, in.Generation, in.Epoch)
		return desired{state}, err
	case opObserved:
		var in hosting.Observation
		if err := exchange.Read(data, &in, ErrReport); err != nil {
			return nil, err
		}
		return nil, hub.Observed(ctx, in)
	case opLook:
		q, err := hub.Look(ctx)
		return question{q}, err
	case opTold:
		var in told
		if err := exchange.Read(data, &in, ErrReport); err != nil {
			return nil, err
		}
		return nil, hub.Told(ctx, in.ID, in.Sight)
	case opToken:
		var in tokenRequest
		if err := exchange.Read(data, &in, ErrReport); err != nil {
			return nil, err
		}
		if in.Repository == "" || len(in.Repository) > maxName {
			return nil, fmt.Errorf("%w: the name of a repository has 1 to %d bytes", ErrReport, maxName)
		}
		text, ends, err := hub.Token(ctx, in.Repository)
		return exchange.Token{Token: text, Lasts: time.Until(ends)}, err
	}
	return nil, fmt.Errorf("%w: %.20q is no request of a host", ErrReport, operation)
}
