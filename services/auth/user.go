package auth

import (
	"context"
	"errors"
	"fmt"
	"os"

	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// passwordGone removes the file with the first administrator's password after
// that administrator got another password or was erased.
func (s *Auth) passwordGone(ctx context.Context, userID string) {
	if first, err := s.Read.FirstAdmin(ctx); err == nil && first == userID {
		s.removePasswordFile()
	}
}

func (s *Auth) removePasswordFile() {
	if s.PasswordFile == "" {
		return
	}
	if err := os.Remove(s.PasswordFile); err != nil && !os.IsNotExist(err) {
		s.Logger.Warn("the file with the first password could not be removed", "error", err)
	}
}

// SetEmail sets a user's e-mail address, or removes it when email is empty. The
// error is account.ErrEmail or wraps accounts.ErrNotFound.
func (s *Auth) SetEmail(ctx context.Context, by command.By, userID, email string) (uint64, error) {
	if err := account.CheckEmail(email); err != nil {
		return 0, err
	}
	user, err := s.Read.AccountByID(ctx, userID)
	if err != nil {
		return 0, err
	}
	if user.Kind != accounts.KindUser || user.Erased {
		return 0, fmt.Errorf("user %s: %w", user.Name, accounts.ErrNotFound)
	}
	if s.Secrets == nil {
		return 0, errReadOnly
	}
	if email == "" {
		err = s.Secrets.Destroy(ctx, emailKey(userID))
	} else {
		err = s.Secrets.Put(ctx, emailKey(userID), []byte(email))
	}
	if err != nil {
		return 0, err
	}
	seq, err := account.EmailChanged(ctx, s.Log, by, userID, email != "")
	if errors.Is(err, account.ErrErased) {
		err = errors.Join(err, s.destroySecrets(ctx, userID))
	}
	return seq, err
}

// Email is a user's e-mail address, "" for none.
func (s *Auth) Email(ctx context.Context, userID string) (string, error) {
	if s.Secrets == nil {
		return "", errReadOnly
	}
	text, _, err := s.Secrets.Get(ctx, emailKey(userID))
	if errors.Is(err, errNoSecret) {
		return "", nil
	}
	return string(text), err
}

// Erase ends a user's account for good and destroys their secrets. The event
// comes first: what is left after it is destroyed by the ErasedSecrets manager.
func (s *Auth) Erase(ctx context.Context, by command.By, userID string) (uint64, error) {
	seq, err := account.Erase(ctx, s.Log, by, s.Read, userID)
	if err != nil {
		return 0, err
	}
	s.passwordGone(ctx, userID)
	if err := s.destroySecrets(ctx, userID); err != nil {
		s.Logger.Warn("the secrets of an erased user are still there; this is tried again", "error", err)
	}
	return seq, nil
}

func (s *Auth) destroySecrets(ctx context.Context, userID string) error {
	if s.Secrets == nil {
		return errReadOnly
	}
	names, err := s.Secrets.Keys(ctx, userSecrets+userID+".")
	for _, name := range names {
		err = errors.Join(err, s.Secrets.Destroy(ctx, name))
	}
	return err
}
