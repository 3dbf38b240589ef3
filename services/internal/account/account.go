// Package account holds what may be decided about accounts: users and
// organizations with their names, members, teams, robot accounts, grants,
// tokens and quotas.
//
// Each function decides by the latest event of one aggregate and appends one
// more. It returns the sequence to wait for: of the event that it appended, or
// of the one that had already said the same. Ids are UUIDs as text; that what
// they stand for exists is for the caller to know, who found them in the read
// model. What is said of something that is gone by now has no effect.
package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/command"
)

var (
	// ErrTaken: the name belongs to somebody, now or once.
	ErrTaken = errors.New("the name is taken")
	// ErrUnknown: there is none that could be changed.
	ErrUnknown = errors.New("there is none of that name or id")
	// ErrErased: the account was erased, for good.
	ErrErased = errors.New("the account was erased")
	// ErrLastAdmin: the hub would have no administrator who can log in.
	ErrLastAdmin = errors.New("the hub needs another administrator first")
	// ErrInitialized: the hub has its first administrator.
	ErrInitialized = errors.New("the hub was initialized before")
	// ErrInvalid: a role, level, limit or text that is not allowed.
	ErrInvalid = errors.New("invalid value")
)

// tries bounds how often a command is decided anew when others race it.
const tries = 8

// decide appends what next makes of a subject's latest event, which is nil
// when there is none. When next gives nil nothing is to be done.
func decide(ctx context.Context, log command.Log, by command.By, subject string,
	next func(last events.Payload) (events.Payload, error)) (uint64, error) {
	return decideAfter(ctx, log, by, subject, 0, next)
}

// decideAfter is decide where an event from before that sequence means nothing.
func decideAfter(ctx context.Context, log command.Log, by command.By, subject string, since uint64,
	next func(last events.Payload) (events.Payload, error)) (uint64, error) {
	for range tries {
		last, seq, err := command.Latest(ctx, log, subject)
		if err != nil {
			return 0, err
		}
		if seq < since {
			last = nil
		}
		p, err := next(last)
		if err != nil {
			return 0, err
		}
		if p == nil {
			return seq, nil
		}
		seq, err = command.Append(ctx, log, by, p, seq)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("decide on %s: %w", subject, events.ErrConflict)
}

// checkIDs refuses what could not stand in a subject.
func checkIDs(ids ...string) error {
	for _, id := range ids {
		if u, err := uuid.Parse(id); err != nil || u.String() != id {
			return fmt.Errorf("%q is no id: %w", id, ErrUnknown)
		}
	}
	return nil
}
