package deployment

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
	"hubledger/services/internal/secret"
)

// SetHook gives a gate of an environment a URL, which opens by the secret that is returned, and
// takes the one away that it had. record is that of the key with which requests are to be
// signed, "" for none. ErrInvalid.
func SetHook(ctx context.Context, log command.Log, by command.By, e application.Environment, gate, record string) (secret.Secret, uint64, error) {
	if !gateName.MatchString(gate) {
		return "", 0, fmt.Errorf("%w: %.40q is no name of a gate", ErrInvalid, gate)
	}
	made := secret.New()
	set := events.GateHookSet{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Gate: gate, Hash: made.Hash(), Record: record}
	seq, err := command.Append(ctx, log, by, set, events.AnySeq)
	return made, seq, err
}

// RemoveHook takes the URL of a gate away. application.ErrUnknown.
func RemoveHook(ctx context.Context, log command.Log, by command.By, e application.Environment, gate string) (uint64, error) {
	if !gateName.MatchString(gate) {
		return 0, fmt.Errorf("%w: %.40q is no name of a gate", ErrInvalid, gate)
	}
	gone := events.GateHookRemoved{Namespace: e.Namespace, Application: e.Application, Name: e.Name, Environment: e.Environment, Called: e.Called, Gate: gate}
	return command.Decide(ctx, log, by, gone.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if _, there := last.(events.GateHookSet); !there {
			return nil, fmt.Errorf("URL of the gate %s of %s: %w", gate, e.Called, application.ErrUnknown)
		}
		return gone, nil
	})
}
