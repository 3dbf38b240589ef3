package account

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// CreateUser makes a user without a password. A namespace of that name that a
// push made before there were accounts becomes the user's; the caller decides
// whether the user may have it. ErrName, ErrTaken.
func CreateUser(ctx context.Context, log command.Log, by command.By, name string) (id string, seq uint64, err error) {
	id, err = command.NewID()
	if err != nil {
		return "", 0, err
	}
	return createNamespace(ctx, log, by, name, events.KindUser, id)
}

// CreateOrganization makes an organization with its first owner. A namespace of
// that name without an account becomes the organization's, as with CreateUser.
// ErrName, ErrTaken.
//
// It appends two events. For a new organization the owner's membership comes
// first: nobody else knows the id yet. For an adopted namespace the adoption
// comes first, so that of two callers that race the loser does not become an
// owner. If the process ends in between, the adopted organization has no owner
// until an administrator names one.
func CreateOrganization(ctx context.Context, log command.Log, by command.By, name, owner string) (id string, seq uint64, err error) {
	if err := checkIDs(owner); err != nil {
		return "", 0, err
	}
	if err := CheckName(name); err != nil {
		return "", 0, err
	}
	last, _, err := command.Latest(ctx, log, events.NamespaceSubject(name))
	if err != nil {
		return "", 0, err
	}
	if id, err = command.NewID(); err != nil {
		return "", 0, err
	}
	owns := func() error {
		seq, err = GrantMembership(ctx, log, by, id, id, owner, events.RoleOwner)
		return err
	}
	if last == nil {
		if err := owns(); err != nil {
			return "", 0, err
		}
	}
	fresh := id
	if id, seq, err = createNamespace(ctx, log, by, name, events.KindOrganization, id); err != nil || id == fresh {
		return id, seq, err
	}
	return id, seq, owns()
}

// createNamespace gives a name to an account. The id is that of the namespace
// that has the name already, or else fresh.
func createNamespace(ctx context.Context, log command.Log, by command.By, name, kind, fresh string) (id string, seq uint64, err error) {
	if err := CheckName(name); err != nil {
		return "", 0, err
	}
	seq, err = command.Decide(ctx, log, by, events.NamespaceSubject(name), func(last events.Payload, _ uint64) (events.Payload, error) {
		if last == nil {
			id = fresh
			return events.NamespaceCreated{Namespace: id, Name: name, Kind: kind}, nil
		}
		if made, ok := last.(events.NamespaceCreated); ok && made.Kind == "" {
			id = made.Namespace
			return events.NamespaceAdopted{Namespace: id, Name: name, Kind: kind}, nil
		}
		return nil, fmt.Errorf("%s: %w", name, ErrTaken)
	})
	if err != nil {
		return "", 0, err
	}
	return id, seq, nil
}

// SetQuota states what a namespace may hold; 0 is no limit. ErrInvalid.
func SetQuota(ctx context.Context, log command.Log, by command.By, namespace string, bytes, images int64) (uint64, error) {
	if err := checkIDs(namespace); err != nil {
		return 0, err
	}
	if bytes < 0 || images < 0 {
		return 0, fmt.Errorf("%w: a quota is not negative", ErrInvalid)
	}
	p := events.QuotaSet{Namespace: namespace, Bytes: bytes, Images: images}
	return command.Decide(ctx, log, by, p.Subject(), same(p))
}

// same decides to append p, unless the latest event is p already.
func same[P interface {
	comparable
	events.Payload
}](p P) func(events.Payload, uint64) (events.Payload, error) {
	return func(last events.Payload, _ uint64) (events.Payload, error) {
		if last, ok := last.(P); ok && last == p {
			return nil, nil
		}
		return p, nil
	}
}
