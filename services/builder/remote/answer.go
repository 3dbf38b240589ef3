package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"hubledger/events"
	"hubledger/services/builder/worker"
	"hubledger/services/internal/build"
	"hubledger/services/internal/exchange"
)

// A Hub is what the requests of one builder are about.
type Hub interface {
	worker.Hub
	worker.Queue
}

// Bounds of what a builder says.
const (
	maxPlaces    = 64
	maxPlatforms = 16
	maxHave      = 2 * maxPlaces
	maxEvent     = 128 << 10 // bytes
	maxPushed    = 1 << 20   // bytes of a build.pushed: a README takes up to six times as many in JSON
	maxName      = 512       // bytes of a repository's name
)

var platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$`)

// Answer does what a builder asks of the hub, and returns what it is to be answered.
// What it asks is not trusted.
func Answer(ctx context.Context, hub Hub, logger *slog.Logger, operation string, data []byte) []byte {
	value, err := do(ctx, hub, operation, data)
	return codes.Answer(ctx, logger, "builder", operation, value, err)
}

func do(ctx context.Context, hub Hub, operation string, data []byte) (any, error) {
	switch operation {
	case opNext:
		return hub.Next(ctx)
	case opRenew:
		var in renewal
		if err := exchange.Read(data, &in, build.ErrReport); err != nil {
			return nil, err
		}
		if err := checkRenewal(in); err != nil {
			return nil, err
		}
		return hub.Renew(ctx, in.Offer, in.Have)
	case opSay:
		var in saying
		if err := exchange.Read(data, &in, build.ErrReport); err != nil {
			return nil, err
		}
		p, err := payloadOf(in)
		if err != nil {
			return nil, err
		}
		return nil, hub.Say(ctx, in.Claim, p)
	case opLog:
		var in chunk
		if err := exchange.Read(data, &in, build.ErrReport); err != nil {
			return nil, err
		}
		if in.Step < 0 || in.Step > build.MaxSteps+1 || len(in.Data) == 0 || len(in.Data) > worker.MaxLogChunk {
			return nil, fmt.Errorf("%w: a chunk of the log is of step %d and has %d bytes", build.ErrReport, in.Step, len(in.Data))
		}
		return nil, hub.Log(ctx, in.Claim, in.Step, in.Data)
	case opToken:
		var in tokenRequest
		if err := exchange.Read(data, &in, build.ErrReport); err != nil {
			return nil, err
		}
		if len(in.Repository) > maxName {
			return nil, fmt.Errorf("%w: the name of a repository is too long", build.ErrReport)
		}
		text, ends, err := hub.Token(ctx, in.Claim, in.Repository, in.Push)
		return exchange.Token{Token: text, Lasts: time.Until(ends)}, err
	}
	return nil, fmt.Errorf("%w: %.20q is no request of a builder", build.ErrReport, operation)
}

func checkRenewal(in renewal) error {
	if in.Places < 0 || in.Places > maxPlaces || len(in.Platforms) > maxPlatforms || len(in.Have) > maxHave {
		return fmt.Errorf("%w: a builder has at most %d places, %d platforms and %d builds", build.ErrReport, maxPlaces, maxPlatforms, maxHave)
	}
	for _, p := range in.Platforms {
		if len(p) > 64 || !platformPattern.MatchString(p) {
			return fmt.Errorf("%w: %.64q is no platform", build.ErrReport, p)
		}
	}
	return nil
}

// payloadOf reads an event of a build; others are not for builders.
func payloadOf(in saying) (events.Payload, error) {
	most := maxEvent
	if in.Type == "build.pushed.v1" {
		most = maxPushed
	}
	if len(in.Data) > most {
		return nil, fmt.Errorf("%w: it has %d bytes", build.ErrReport, len(in.Data))
	}
	e := events.Event{Data: in.Data}
	e.Set(events.AttrType, in.Type)
	p, err := events.Decode(&e)
	switch p.(type) {
	case events.BuildStepEnded, events.BuildPushed, events.BuildFinished, events.BuildLost:
		return p, nil
	}
	return nil, errors.Join(build.ErrReport, err)
}
