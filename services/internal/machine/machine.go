// Package machine holds what may be decided about machines that work for the hub, such
// as builders: who is invited, enrolled by a one-time token, and revoked.
package machine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/command"
	"hubledger/services/internal/secret"
)

var (
	// ErrName: a text is no name of a machine.
	ErrName = errors.New("the name of a builder, a host or a NATS user has 1 to 63 lower-case letters, digits and hyphens, begins and ends with a letter or digit, and is not local")
	// ErrTaken: a machine of that name is invited or enrolled.
	ErrTaken = errors.New("there is a machine of that name: revoke it first, or choose another name")
	// ErrTooMany: there are as many machines of that kind as there may be.
	ErrTooMany = fmt.Errorf("there are %d machines of that kind: revoke some", maxMachines)
	// ErrToken: there is no such one-time token, or it was used, or has expired.
	ErrToken = errors.New("the token is not good: it was used, has expired, or never was; get another one from an administrator of the hub")
	// ErrKind: a token is for a machine of another kind.
	ErrKind = errors.New("the token is not for a machine of this kind")
	// ErrKey: a text is no public NKey of a machine.
	ErrKey = errors.New("this is no public NKey: U and 55 characters of base32")
	// ErrKeyTaken: another machine has that key.
	ErrKeyTaken = errors.New("another machine has this key")
	// ErrUnknown: no machine of that name is invited or enrolled.
	ErrUnknown = errors.New("there is no such machine")
)

const (
	// maxMachines bounds those of a kind that are invited or enrolled. They are counted
	// in the read model.
	maxMachines = 200
	// DefaultTerm is how long a token can be used, if nothing else is said.
	DefaultTerm = time.Hour
	// MaxTerm is how long it can be used at most.
	MaxTerm = 7 * 24 * time.Hour
)

var (
	namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	keyPattern  = regexp.MustCompile(`^U[A-Z2-7]{55}$`)
)

// reserved is the name of the hub's own builder.
const reserved = "local"

// Lists finds machines: accounts.Reader.
type Lists interface {
	Machines(ctx context.Context, kind string, at time.Time) ([]accounts.Machine, error)
}

// Invite makes the one-time token by which a machine enrolls itself. The token is shown
// once. A host runs the applications of these namespaces only, which are ids; with none
// those of all. ErrName, ErrTaken, ErrTooMany.
func Invite(ctx context.Context, log command.Log, by command.By, read Lists, kind, name string, namespaces []string, term time.Duration) (token string, invited events.MachineInvited, seq uint64, err error) {
	if !namePattern.MatchString(name) || name == reserved {
		return "", invited, 0, ErrName
	}
	now := time.Now()
	there, err := read.Machines(ctx, kind, now)
	if err != nil {
		return "", invited, 0, err
	}
	if len(there) >= maxMachines {
		return "", invited, 0, ErrTooMany
	}
	id, err := command.NewID()
	if err != nil {
		return "", invited, 0, err
	}
	made := secret.New()
	token = string(made)
	invited = events.MachineInvited{Machine: id, Name: name, Kind: kind, Hash: made.Hash(), Expires: now.Add(min(max(term, time.Second), MaxTerm)).UTC().Truncate(time.Second), Namespaces: namespaces}
	seq, err = command.Decide(ctx, log, by, invited.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if taken(last, now) {
			return nil, ErrTaken
		}
		return invited, nil
	})
	return token, invited, seq, err
}

// taken says whether a name is in use, from the last event of its subject: by a machine, or by
// an invitation that is good.
func taken(last events.Payload, now time.Time) bool {
	switch last := last.(type) {
	case events.MachineEnrolled:
		return true
	case events.MachineInvited:
		return now.Before(last.Expires)
	}
	return false
}

// Tokens finds machines by their token: accounts.Reader.
type Tokens interface {
	MachineByToken(ctx context.Context, sum []byte) (*accounts.Machine, error)
}

// Enroll makes a machine of a kind known by its key. The token is used up. ErrKey,
// ErrToken, ErrKind.
func Enroll(ctx context.Context, log command.Log, by command.By, read Tokens, kind, token, key string) (enrolled events.MachineEnrolled, seq uint64, err error) {
	if !keyPattern.MatchString(key) {
		return enrolled, 0, ErrKey
	}
	m, err := read.MachineByToken(ctx, secret.Secret(token).Hash())
	if errors.Is(err, accounts.ErrNotFound) {
		return enrolled, 0, ErrToken
	}
	if err != nil {
		return enrolled, 0, err
	}
	if m.Kind != kind {
		return enrolled, 0, fmt.Errorf("%w: it is for a %s", ErrKind, m.Kind)
	}
	by.Actor = m.Name
	enrolled = events.MachineEnrolled{Machine: m.ID, Name: m.Name, Kind: m.Kind, Key: key}
	seq, err = command.Decide(ctx, log, by, enrolled.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		invited, ok := last.(events.MachineInvited)
		if !ok || invited.Machine != m.ID || !time.Now().Before(invited.Expires) {
			return nil, ErrToken
		}
		enrolled.Namespaces = invited.Namespaces
		return enrolled, nil
	})
	return enrolled, seq, err
}

// Revoke ends a machine of a kind, or its invitation. ErrUnknown.
func Revoke(ctx context.Context, log command.Log, by command.By, kind, name string) (id string, seq uint64, err error) {
	seq, err = command.Decide(ctx, log, by, events.MachineSubject(name), func(last events.Payload, _ uint64) (events.Payload, error) {
		var of string
		switch last := last.(type) {
		case events.MachineInvited:
			id, of = last.Machine, last.Kind
		case events.MachineEnrolled:
			id, of = last.Machine, last.Kind
		}
		if of != kind {
			return nil, ErrUnknown
		}
		return events.MachineRevoked{Machine: id, Name: name, Kind: kind}, nil
	})
	return id, seq, err
}
