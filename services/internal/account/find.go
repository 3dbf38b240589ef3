package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/projections/accounts"
)

var (
	// ErrNoUser: no user has the name of who should be given something.
	ErrNoUser = errors.New("there is no user of that name")
	// ErrNoGrantee is what a *NoGranteeError is.
	ErrNoGrantee = errors.New("no such grantee")
)

// Names finds accounts by login name: accounts.Reader.
type Names interface {
	Account(ctx context.Context, name string) (*accounts.Account, error)
}

// FindUser finds the user of a login name, also one who was erased. The error
// wraps accounts.ErrNotFound, also when an organization or a robot account has
// the name.
func FindUser(ctx context.Context, read Names, name string) (*accounts.Account, error) {
	a, err := read.Account(ctx, name)
	if err != nil {
		return nil, err
	}
	if a.Kind != accounts.KindUser {
		return nil, fmt.Errorf("user %s: %w", name, accounts.ErrNotFound)
	}
	return a, nil
}

// FindRecipient finds the user of that name who can be given roles and
// memberships: one who was not erased. ErrNoUser.
func FindRecipient(ctx context.Context, read Names, name string) (*accounts.Account, error) {
	a, err := FindUser(ctx, read, name)
	if errors.Is(err, accounts.ErrNotFound) || err == nil && a.Erased {
		return nil, ErrNoUser
	}
	return a, err
}

// A NoGranteeError says that a namespace has no team or robot account of the
// name that a role is given to. It is an ErrNoGrantee.
type NoGranteeError struct{ Kind string }

func (e *NoGranteeError) Error() string { return "the namespace has no " + e.Kind + " of that name" }

// Is makes it an ErrNoGrantee.
func (e *NoGranteeError) Is(target error) bool { return target == ErrNoGrantee }

// Grantees finds who can have a role: accounts.Reader.
type Grantees interface {
	Names
	Team(ctx context.Context, organization, name string) (*accounts.Team, error)
	// Roles are those of the grantee with that id, be it an account or a team.
	Roles(ctx context.Context, grantee, namespace, repository string) ([]accounts.Role, error)
}

// findGrantee finds the id of a grantee: any user, but only the namespace's own
// teams and robot accounts. ErrNoUser, *NoGranteeError.
func findGrantee(ctx context.Context, read Grantees, ns *accounts.Namespace, kind, name string) (id string, err error) {
	switch kind {
	case events.GranteeUser:
		a, err := FindRecipient(ctx, read, name)
		if err != nil {
			return "", err
		}
		return a.ID, nil
	case events.GranteeTeam:
		var t *accounts.Team
		if t, err = read.Team(ctx, ns.ID, name); err == nil {
			id = t.ID
		}
	default:
		var a *accounts.Account
		if a, err = read.Account(ctx, ns.Name+"+"+strings.TrimPrefix(name, ns.Name+"+")); err == nil {
			id = a.ID
		}
	}
	if errors.Is(err, accounts.ErrNotFound) {
		return "", &NoGranteeError{kind}
	}
	return id, err
}
