package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/auth/secondfactor"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/totp"
)

// factorKey is the name of the record of a second factor, by its id. It is changed only over
// the revision that was read, so that of two uses of one code one counts.
func factorKey(userID, factor string) string { return userSecrets + userID + ".factor." + factor }

// errCodeNeeded: the password is right, and the account asks for a code, too.
var errCodeNeeded = errors.New("this account has a second factor, so the password alone lets nobody in: log in with an access token in place of the password")

// maxCode bounds what is taken for a code, in bytes.
const maxCode = 64

// codeTries bounds how often a record is read again that somebody else has changed.
const codeTries = 5

// useFactor takes a code of a second factor once, by its record.
func (s *Auth) useFactor(ctx context.Context, key, code string, now time.Time) (bool, error) {
	record, revision, err := s.readFactor(ctx, key)
	if err != nil || record == nil || !record.Use(code, now) {
		return false, err
	}
	text, err := json.Marshal(record)
	if err == nil {
		_, err = s.Secrets.Update(ctx, key, text, revision)
	}
	return err == nil, err
}

// readFactor is the record of a second factor, nil for none.
func (s *Auth) readFactor(ctx context.Context, key string) (*secondfactor.Record, uint64, error) {
	if s.Secrets == nil {
		return nil, 0, errReadOnly
	}
	text, revision, err := s.Secrets.Get(ctx, key)
	if errors.Is(err, errNoSecret) {
		s.Logger.Warn("an account has a second factor whose key is gone: an administrator turns it off by users second-factor off", "secret", key)
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	r := &secondfactor.Record{}
	if json.Unmarshal(text, r) != nil {
		return nil, 0, errors.New("the record of a second factor cannot be read") // the cause may quote it
	}
	return r, revision, nil
}

// useCode takes a code of a user whose password is proved. It is used up when it returns nil.
// Wrong ones count as failed logins, and by the account.
func (s *Auth) useCode(ctx context.Context, r *http.Request, userID, name, code string) error {
	a, err := s.Read.AccountByID(ctx, userID)
	if err != nil {
		return err
	}
	now := time.Now()
	if !secondfactor.IsRecovery(code) {
		if wait := s.codes.Begin(userID, now); wait > 0 {
			return s.refuseTooSoon(ctx, r, name, wait)
		}
	}
	good := false
	if len(code) <= maxCode && a.SecondFactor != "" {
		for range codeTries {
			// Another use of a code at the same moment: perhaps of this one.
			if good, err = s.useFactor(ctx, factorKey(userID, a.SecondFactor), code, now); !errors.Is(err, events.ErrConflict) {
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("use a code: %w", err)
	}
	if !good {
		return errors.Join(totp.ErrCode, s.refusePassword(origin.Of(r).Addr, name, true, s.verified.key(name, code)))
	}
	s.codes.Good(userID)
	return nil
}

// RecoveryCodes is how many recovery codes a user has left.
func (s *Auth) RecoveryCodes(ctx context.Context, user *accounts.Account) (int, error) {
	if user.SecondFactor == "" {
		return 0, nil
	}
	record, _, err := s.readFactor(ctx, factorKey(user.ID, user.SecondFactor))
	if err != nil || record == nil {
		return 0, err
	}
	return len(record.Recovery), nil
}

// CheckCode takes a code of a user's second factor, as is asked for before it is turned
// off; nothing is asked for where it is off. The error is an *access.Denied.
func (s *Auth) CheckCode(ctx context.Context, r *http.Request, user *accounts.Account, code string) error {
	if user.SecondFactor == "" {
		return nil
	}
	if err := s.useCode(ctx, r, user.ID, user.Name, code); err != nil {
		return s.refusal(r, err, "")
	}
	return nil
}

// TurnOnSecondFactor keeps the key of a user's authenticator, if code is one of its codes
// now, and returns recovery codes, which nothing keeps. From the event on, whose sequence it
// returns, the password alone is refused; tokens and sessions of before stay. Errors are
// totp.ErrCode, totp.ErrKey and those of account.TurnOnSecondFactor.
//
// The record is stored before the event is appended: in the other order the process could
// end in between, and nobody could sign in. A record that no event names does nothing.
func (s *Auth) TurnOnSecondFactor(ctx context.Context, by command.By, user *accounts.Account, key, code string) (codes []string, seq uint64, err error) {
	if user.Kind != accounts.KindUser || user.Erased {
		return nil, 0, fmt.Errorf("user %s: %w", user.Name, accounts.ErrNotFound)
	}
	record, codes, err := secondfactor.New(key, code, time.Now())
	if err != nil {
		return nil, 0, err
	}
	seq, err = s.keepFactor(ctx, user.ID, record, func(ctx context.Context, factor string) (uint64, error) {
		return account.TurnOnSecondFactor(ctx, s.Log, by, s.Read, s.View.Wait, user.ID, factor)
	})
	if err != nil {
		return nil, 0, err
	}
	return codes, seq, nil
}

// keepFactor keeps a record under a new id, by which event appends that it counts.
func (s *Auth) keepFactor(ctx context.Context, user string, record *secondfactor.Record, event func(ctx context.Context, factor string) (uint64, error)) (uint64, error) {
	if s.Secrets == nil {
		return 0, errReadOnly
	}
	factor, err := command.NewID()
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(record)
	if err != nil {
		return 0, err
	}
	// The steps are finished even when the client goes away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), setPasswordTimeout)
	defer cancel()
	if _, err := s.Secrets.Update(ctx, factorKey(user, factor), text, 0); err != nil {
		return 0, err
	}
	seq, err := event(ctx, factor)
	if err != nil {
		if !errors.Is(err, events.ErrUncertain) { // else it may be asked for
			s.warn("forget the key of a second factor that does not count", s.Secrets.Destroy(ctx, factorKey(user, factor)))
		}
		return 0, err
	}
	return seq, nil
}

// RenewRecoveryCodes gives a user whose second factor is on other recovery codes, which
// nothing keeps; those of before are good no longer from the event on, whose sequence it
// returns. Errors are those of account.RenewSecondFactor, also when the factor's key is gone.
func (s *Auth) RenewRecoveryCodes(ctx context.Context, by command.By, user *accounts.Account) (codes []string, seq uint64, err error) {
	old, _, err := s.readFactor(ctx, factorKey(user.ID, user.SecondFactor))
	if err != nil {
		return nil, 0, err
	}
	if old == nil {
		return nil, 0, account.ErrFactorChanged
	}
	record, codes := old.Renewed(time.Now())
	seq, err = s.keepFactor(ctx, user.ID, record, func(ctx context.Context, factor string) (uint64, error) {
		return account.RenewSecondFactor(ctx, s.Log, by, s.Read, s.View.Wait, user.ID, user.SecondFactor, factor)
	})
	if err != nil {
		return nil, 0, err
	}
	s.warn("forget the recovery codes of before", s.Secrets.Destroy(context.WithoutCancel(ctx), factorKey(user.ID, user.SecondFactor)))
	return codes, seq, nil
}

// TurnOffSecondFactor lets a user sign in by the password alone from the event on, whose
// sequence it returns, and forgets the key. Errors are those of account.TurnOffSecondFactor.
func (s *Auth) TurnOffSecondFactor(ctx context.Context, by command.By, user *accounts.Account) (uint64, error) {
	seq, err := account.TurnOffSecondFactor(ctx, s.Log, by, user.ID)
	if err != nil {
		return 0, err
	}
	s.codes.Good(user.ID)
	if s.Secrets != nil && user.SecondFactor != "" {
		s.warn("forget the key of a second factor that was turned off", s.Secrets.Destroy(ctx, factorKey(user.ID, user.SecondFactor)))
	}
	return seq, nil
}
