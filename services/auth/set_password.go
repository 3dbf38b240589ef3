package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// ErrNoPassword: only users have passwords.
var ErrNoPassword = fmt.Errorf("%w: only users have passwords: robot accounts log in by access tokens", account.ErrInvalid)

// SetPassword sets a user's password. Sessions and login tokens obtained with an
// earlier one end with the event, whose sequence is returned. The error is that of
// CheckPassword, ErrNoPassword, or wraps accounts.ErrNotFound.
//
// The hash is stored before the event is appended: in the other order the process
// could end in between, and the old password would be accepted for new sessions.
// When the event is refused, the old hash is put back. So after an error the old
// password is valid, with three exceptions: the error wraps events.ErrUncertain,
// the log became read-only between the two steps, or the process ended there. Then
// the new password may be valid already while sessions and tokens of the old one
// still are, until the password is set again.
func (s *Auth) SetPassword(ctx context.Context, by command.By, userID, password string) (uint64, error) {
	user, err := s.Read.AccountByID(ctx, userID)
	if err != nil {
		return 0, err
	}
	if user.Kind != accounts.KindUser {
		return 0, ErrNoPassword
	}
	if user.Erased {
		return 0, fmt.Errorf("account %s is erased: %w", user.Name, accounts.ErrNotFound)
	}
	if err := account.CheckPassword(user.Name, password); err != nil {
		return 0, err
	}
	if s.Secrets == nil {
		return 0, errReadOnly
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return 0, err
	}
	// The steps are finished even when the client goes away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), setPasswordTimeout)
	defer cancel()
	undo, err := s.swapHash(ctx, userID, hash)
	if err != nil {
		return 0, err
	}
	seq, certain, err := s.appendPasswordChanged(ctx, by, userID)
	if errors.Is(err, account.ErrErased) {
		return 0, errors.Join(err, s.destroySecrets(ctx, userID))
	}
	if err != nil {
		if certain {
			s.warn("put back the old password after the change was refused", undo(ctx))
			s.verified.entries.drop(s.verified.key(user.Name, password)) // it may have been used to log in already
		}
		return 0, err
	}
	s.passwordGone(ctx, userID)
	return seq, nil
}

// setPasswordTimeout bounds how long it takes to store a hash and append the event.
const setPasswordTimeout = 10 * time.Second

// setPasswordTries bounds how often either step is tried.
const setPasswordTries = 3

// swapHash stores a user's hash; undo puts back the one before, unless another
// one was stored since.
func (s *Auth) swapHash(ctx context.Context, userID string, hash phc) (undo func(context.Context) error, err error) {
	key := passwordKey(userID)
	for range setPasswordTries {
		old, revision, err := s.Secrets.Get(ctx, key)
		if err != nil && !errors.Is(err, errNoSecret) {
			// A hash that cannot be read can be replaced, but not put back.
			return func(context.Context) error { return err }, s.Secrets.Put(ctx, key, []byte(hash.String()))
		}
		revision, err = s.Secrets.Update(ctx, key, []byte(hash.String()), revision)
		if errors.Is(err, events.ErrConflict) {
			continue
		}
		return func(ctx context.Context) error {
			_, err := s.Secrets.Update(ctx, key, old, revision) // an empty value stands for no password
			if errors.Is(err, events.ErrConflict) {
				return nil
			}
			return err
		}, err
	}
	return nil, fmt.Errorf("store a password: %w", events.ErrConflict)
}

// appendPasswordChanged appends the event that a password was changed. Two such
// events do no harm, so it is appended again while it is not known to be in the
// log. certain says that after an error it is not in the log.
func (s *Auth) appendPasswordChanged(ctx context.Context, by command.By, userID string) (seq uint64, certain bool, err error) {
	certain = true
	for range setPasswordTries {
		seq, err = account.PasswordChanged(ctx, s.Log, by, userID)
		if err == nil || !errors.Is(err, events.ErrUncertain) {
			break
		}
		certain = false
	}
	if err != nil && !certain && !errors.Is(err, events.ErrUncertain) {
		err = fmt.Errorf("%w: %w", events.ErrUncertain, err)
	}
	return seq, certain, err
}
