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
	"errors"
	"fmt"

	"github.com/google/uuid"
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

// checkIDs refuses what could not stand in a subject.
func checkIDs(ids ...string) error {
	for _, id := range ids {
		if u, err := uuid.Parse(id); err != nil || u.String() != id {
			return fmt.Errorf("%q is no id: %w", id, ErrUnknown)
		}
	}
	return nil
}
