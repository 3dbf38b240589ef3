// Package account holds what may be decided about accounts: users and
// organizations with their names, members, teams, robot accounts, grants,
// tokens and quotas.
//
// Each function decides by the latest event of one aggregate and appends one
// more. It returns the sequence to wait for: that of the event that it appended,
// or of the earlier event that says the same. Ids are UUIDs as text, and nothing
// here checks that what they stand for exists: callers take them from the read
// model. An event about something that was deleted meanwhile has no effect.
package account

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

var (
	// ErrTaken: the name belongs to an account, or did before it was erased.
	ErrTaken = errors.New("the name is taken")
	// ErrUnknown: what should be changed does not exist.
	ErrUnknown = errors.New("there is none of that name or id")
	// ErrErased: the account was erased, for good.
	ErrErased = errors.New("the account was erased")
	// ErrLastAdmin: the hub would have no administrator who can log in.
	ErrLastAdmin = errors.New("the hub needs another administrator first")
	// ErrInitialized: the hub has its first administrator.
	ErrInitialized = errors.New("the hub was initialized before")
	// ErrSecondFactor: the account has a second factor already.
	ErrSecondFactor = errors.New("the second factor is on: turn it off before another authenticator is set up")
	// ErrFactorChanged: the second factor is off, or another one than it was.
	ErrFactorChanged = errors.New("the second factor was changed meanwhile: reload the page")
	// ErrInvalid: a role, level, limit or text that is not allowed.
	ErrInvalid = errors.New("invalid value")
)

// checkIDs refuses texts that are no UUIDs and so cannot be part of a subject.
func checkIDs(ids ...string) error {
	for _, id := range ids {
		if u, err := uuid.Parse(id); err != nil || u.String() != id {
			return fmt.Errorf("%q is no id: %w", id, ErrUnknown)
		}
	}
	return nil
}
