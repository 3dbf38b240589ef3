package account

import (
	"context"
	"fmt"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
)

// Admins knows who administers the hub: accounts.Reader.
type Admins interface {
	// OtherAdmin says whether somebody but that user is an administrator who can log in.
	OtherAdmin(ctx context.Context, user string) (bool, error)
}

// Initialize names the first administrator, once in a hub's life. ErrInitialized
// when another user was named before.
func Initialize(ctx context.Context, log command.Log, by command.By, admin string) (uint64, error) {
	if err := checkIDs(admin); err != nil {
		return 0, err
	}
	p := events.HubInitialized{Admin: admin}
	return command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, seq uint64) (events.Payload, error) {
		if said, ok := last.(events.HubInitialized); ok && said != p {
			return nil, ErrInitialized
		}
		return same(p)(last, seq)
	})
}

// SetStanding says whether a user is an administrator of the hub and whether
// they are disabled. ErrErased, ErrLastAdmin.
//
// Who is the last administrator is read from the read model: two administrators
// who demote each other at the same moment can leave none. The operator, on the
// admin socket, then makes a new one.
func SetStanding(ctx context.Context, log command.Log, by command.By, admins Admins, user string, admin, disabled bool) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	if !admin || disabled {
		if err := notLast(ctx, admins, user); err != nil {
			return 0, err
		}
	}
	return appendFact(ctx, log, by, user, events.UserStandingChanged{User: user, Admin: admin, Disabled: disabled})
}

// Standings knows the standing of users: accounts.Reader.
type Standings interface {
	Admins
	AccountByID(ctx context.Context, id string) (*accounts.Account, error)
}

// ChangeStanding is SetStanding for the parts of a standing that are not nil.
// The others stay as they are by the user's latest event. access.ErrStale when
// the read model does not have that event in time.
func ChangeStanding(ctx context.Context, log command.Log, by command.By, read Standings, wait command.Wait, user string, admin, disabled *bool) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	return decideOnUser(ctx, log, by, user, func(seq uint64) (events.Payload, error) {
		if wait(ctx, seq) != nil {
			return nil, access.ErrStale // not wait's error, which says that a change was made
		}
		now, err := read.AccountByID(ctx, user)
		if err != nil {
			return nil, err
		}
		p := events.UserStandingChanged{User: user, Admin: now.Admin, Disabled: now.Disabled}
		if admin != nil {
			p.Admin = *admin
		}
		if disabled != nil {
			p.Disabled = *disabled
		}
		if !p.Admin || p.Disabled {
			err = notLast(ctx, read, user)
		}
		return p, err
	})
}

// PasswordChanged says that a user's password is another one now. ErrErased.
func PasswordChanged(ctx context.Context, log command.Log, by command.By, user string) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	return appendFact(ctx, log, by, user, events.UserPasswordChanged{User: user})
}

// TurnOnSecondFactor has a second factor of that id asked for beside a user's password.
// ErrErased; ErrSecondFactor when another one is on; access.ErrStale when the read model does
// not have the user's latest event in time.
func TurnOnSecondFactor(ctx context.Context, log command.Log, by command.By, read Standings, wait command.Wait, user, factor string) (uint64, error) {
	if err := checkIDs(user, factor); err != nil {
		return 0, err
	}
	return decideOnUser(ctx, log, by, user, func(seq uint64) (events.Payload, error) {
		if wait(ctx, seq) != nil {
			return nil, access.ErrStale // not wait's error, which says that a change was made
		}
		now, err := read.AccountByID(ctx, user)
		if err == nil && now.SecondFactor != "" && now.SecondFactor != factor {
			err = ErrSecondFactor
		}
		return events.UserSecondFactorChanged{User: user, Factor: factor}, err
	})
}

// RenewSecondFactor has the second factor of id factor, which has other recovery codes, take
// the place of that of id old. Errors as of TurnOnSecondFactor; ErrFactorChanged when that of id
// old is no longer on.
func RenewSecondFactor(ctx context.Context, log command.Log, by command.By, read Standings, wait command.Wait, user, old, factor string) (uint64, error) {
	if err := checkIDs(user, old, factor); err != nil {
		return 0, err
	}
	return decideOnUser(ctx, log, by, user, func(seq uint64) (events.Payload, error) {
		if wait(ctx, seq) != nil {
			return nil, access.ErrStale
		}
		now, err := read.AccountByID(ctx, user)
		if err == nil && now.SecondFactor != old && now.SecondFactor != factor {
			err = ErrFactorChanged
		}
		return events.UserSecondFactorChanged{User: user, Factor: factor, Renewed: true}, err
	})
}

// TurnOffSecondFactor has the password alone be enough for a user. ErrErased.
func TurnOffSecondFactor(ctx context.Context, log command.Log, by command.By, user string) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	return appendFact(ctx, log, by, user, events.UserSecondFactorChanged{User: user})
}

// EmailChanged says that a user's e-mail address was set, or taken away. ErrErased.
func EmailChanged(ctx context.Context, log command.Log, by command.By, user string, set bool) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	return appendFact(ctx, log, by, user, events.UserEmailChanged{User: user, Set: set})
}

// Erase ends a user for good; the name stays taken. Their secrets are for the
// caller to destroy. What they owned alone is the administrators' from then on.
// ErrLastAdmin, as with SetStanding.
func Erase(ctx context.Context, log command.Log, by command.By, admins Admins, user string) (uint64, error) {
	if err := checkIDs(user); err != nil {
		return 0, err
	}
	if err := notLast(ctx, admins, user); err != nil {
		return 0, err
	}
	p := events.UserErased{User: user}
	return command.Decide(ctx, log, by, p.Subject(), same(p))
}

// appendFact appends a fact about a user who was not erased.
func appendFact(ctx context.Context, log command.Log, by command.By, user string, p events.Payload) (uint64, error) {
	return decideOnUser(ctx, log, by, user, func(uint64) (events.Payload, error) { return p, nil })
}

// decideOnUser is command.Decide on a user who was not erased; next gets the
// sequence of the user's latest event. ErrErased.
func decideOnUser(ctx context.Context, log command.Log, by command.By, user string, next func(seq uint64) (events.Payload, error)) (uint64, error) {
	return command.Decide(ctx, log, by, events.UserSubject(user), func(last events.Payload, seq uint64) (events.Payload, error) {
		if _, erased := last.(events.UserErased); erased {
			return nil, fmt.Errorf("user %s: %w", user, ErrErased)
		}
		return next(seq)
	})
}

func notLast(ctx context.Context, admins Admins, user string) error {
	other, err := admins.OtherAdmin(ctx, user)
	if err == nil && !other {
		err = ErrLastAdmin
	}
	return err
}
