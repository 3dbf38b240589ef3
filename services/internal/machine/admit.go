package machine

import (
	"context"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// Admit makes a machine of a kind known by its key, which whoever admits it has got from it;
// there is no token. ErrName, ErrKey, ErrTaken, ErrTooMany.
func Admit(ctx context.Context, log command.Log, by command.By, read Lists, kind, name, key string) (admitted events.MachineEnrolled, seq uint64, err error) {
	if !namePattern.MatchString(name) || name == reserved {
		return admitted, 0, ErrName
	}
	if !keyPattern.MatchString(key) {
		return admitted, 0, ErrKey
	}
	now := time.Now()
	for _, of := range []string{events.MachineBuilder, events.MachineHost, events.MachineReader} {
		there, err := read.Machines(ctx, of, now)
		if err != nil {
			return admitted, 0, err
		}
		if of == kind && len(there) >= maxMachines {
			return admitted, 0, ErrTooMany
		}
		for _, m := range there {
			if m.Key == key {
				return admitted, 0, fmt.Errorf("%w: the %s %s has it; make another one", ErrKeyTaken, of, m.Name)
			}
		}
	}
	id, err := command.NewID()
	if err != nil {
		return admitted, 0, err
	}
	admitted = events.MachineEnrolled{Machine: id, Name: name, Kind: kind, Key: key}
	seq, err = command.Decide(ctx, log, by, admitted.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if taken(last, now) {
			return nil, ErrTaken
		}
		return admitted, nil
	})
	return admitted, seq, err
}
