package account

import (
	"context"
	"errors"
	"fmt"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// maxOrganizations is how many organizations a user may make, whoever owns them
// later. Administrators of the hub have no limit.
const maxOrganizations = 50

var (
	// ErrRobotOwner: robot accounts own nothing.
	ErrRobotOwner = errors.New("a robot account owns no organization")
	// ErrAdminsOrganize: this hub lets administrators alone make organizations.
	ErrAdminsOrganize = errors.New("on this hub administrators make the organizations")
	// ErrOthersOrganization: users make organizations for themselves.
	ErrOthersOrganization = errors.New("only administrators of the hub make organizations for others")
	// ErrNoOwner: the operator, who owns nothing, has to name the first owner.
	ErrNoOwner = errors.New("say who shall own it")
	// ErrTooMany is what a *TooManyError is.
	ErrTooMany = errors.New("too many organizations")
)

// A TooManyError refuses another organization to a user who has made that many.
// It is an ErrTooMany.
type TooManyError struct{ Made int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("you have made %d organizations: administrators of the hub can make more", e.Made)
}

// Is makes it an ErrTooMany.
func (e *TooManyError) Is(target error) bool { return target == ErrTooMany }

// OrganizationReader is accounts.Reader.
type OrganizationReader interface {
	Names
	// OrganizationsMade counts what the account of that login name has made.
	OrganizationsMade(ctx context.Context, name string) (int, error)
	Namespace(ctx context.Context, name string) (*accounts.Namespace, error)
}

// Organizations makes organizations for principals. All fields but OnlyAdmins
// are required.
type Organizations struct {
	Log  command.Log
	Read OrganizationReader
	Wait command.Wait
	// OnlyAdmins keeps users from making organizations.
	OnlyAdmins bool
	// Turn has capacity one and is held while a user makes an organization, so that
	// requests at the same moment cannot exceed the limit of organizations that a
	// user makes. It is one node's: requests to several nodes at the same moment may
	// exceed the limit, each node by one.
	Turn chan struct{}
}

// Create makes an organization whose first owner has that login name, "" for
// the principal, and waits until it can be read. It returns the owner's id.
// ErrRobotOwner, ErrAdminsOrganize, ErrOthersOrganization, ErrNoOwner,
// ErrNoUser, ErrTaken, ErrName, *TooManyError.
func (o *Organizations) Create(ctx context.Context, p access.Principal, by command.By, name, owner string) (ownerID string, seq uint64, err error) {
	first, err := o.firstOwner(ctx, p, owner)
	if err != nil {
		return "", 0, err
	}
	if err := o.mayTake(ctx, p, name); err != nil {
		return "", 0, err
	}
	if !p.Admin {
		select {
		case o.Turn <- struct{}{}:
			defer func() { <-o.Turn }()
		case <-ctx.Done():
			return "", 0, ctx.Err()
		}
		if err := o.mayMakeAnother(ctx, p); err != nil {
			return "", 0, err
		}
	}
	if _, seq, err = CreateOrganization(ctx, o.Log, by, name, first.ID); err != nil {
		return "", 0, err
	}
	return first.ID, seq, o.Wait(ctx, seq)
}

// firstOwner finds the owner of a new organization, if the principal may name
// that one.
func (o *Organizations) firstOwner(ctx context.Context, p access.Principal, name string) (*accounts.Account, error) {
	switch {
	case p.Kind == access.Robot:
		return nil, ErrRobotOwner
	case !p.Admin && o.OnlyAdmins:
		return nil, ErrAdminsOrganize
	case !p.Admin && name != "" && name != p.Name:
		return nil, ErrOthersOrganization
	case name == "" && p.Kind == access.Operator:
		return nil, ErrNoOwner
	case name == "":
		name = p.Name
	}
	return FindRecipient(ctx, o.Read, name)
}

// mayTake says whether a new organization may have the name. A namespace that
// was pushed to before there were accounts has repositories, so only an
// administrator may give it away.
func (o *Organizations) mayTake(ctx context.Context, p access.Principal, name string) error {
	ns, err := o.Read.Namespace(ctx, name)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		return nil
	case err != nil:
		return err
	case ns.Kind == "" && p.Admin:
		return nil
	}
	return fmt.Errorf("%s: %w", name, ErrTaken)
}

func (o *Organizations) mayMakeAnother(ctx context.Context, p access.Principal) error {
	made, err := o.Read.OrganizationsMade(ctx, p.Name)
	if err == nil && made >= maxOrganizations {
		err = &TooManyError{made}
	}
	return err
}
