package account

import (
	"context"
	"crypto/rand"
	"errors"
	"net/mail"
	"strings"
	"time"

	"hubledger/services/internal/command"
)

// ErrEmail: a text is no e-mail address.
var ErrEmail = errors.New("this is no e-mail address")

// CheckEmail accepts a bare address (RFC 5322, addr-spec) with a domain, or
// none. ErrEmail.
func CheckEmail(s string) error {
	if s == "" {
		return nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || !strings.Contains(s[strings.LastIndexByte(s, '@'):], ".") || strings.ContainsAny(s, "\"<>() ") {
		return ErrEmail
	}
	return nil
}

// A PasswordError says why a password is not good enough.
type PasswordError struct{ Err error }

func (e *PasswordError) Error() string { return e.Err.Error() }
func (e *PasswordError) Unwrap() error { return e.Err }

// An UnfinishedError says that the name belongs to a user without a password,
// whose creation goes on elsewhere or was cut off. It is an ErrTaken.
type UnfinishedError struct{ After time.Duration } // until the same Create would finish it

func (e *UnfinishedError) Error() string {
	return "the name is taken by a user who is being made, or whose creation was cut off: then send the same again in two minutes"
}

// Is makes it an ErrTaken.
func (e *UnfinishedError) Is(target error) bool { return target == ErrTaken }

// A CutOffError says that a user was made but got no password. The same Create
// finishes it once After has passed.
type CutOffError struct {
	Name  string
	After time.Duration
	Err   error // why it was cut off
}

func (e *CutOffError) Error() string {
	return "the user " + e.Name + " was made, but cannot log in yet: " + e.Err.Error()
}
func (e *CutOffError) Unwrap() error { return e.Err }

// Passwords keeps passwords.
type Passwords interface {
	SetPassword(ctx context.Context, by command.By, user, password string) (seq uint64, err error)
}

// Emails keeps e-mail addresses.
type Emails interface {
	// SetEmail keeps an address, or destroys it when it is "". ErrEmail.
	SetEmail(ctx context.Context, by command.By, user, address string) (seq uint64, err error)
}

// Users makes users with their password, e-mail address and standing. All
// fields are required.
type Users struct {
	Log  command.Log
	Read interface {
		Names
		Admins
	}
	Passwords Passwords
	Emails    Emails
	Wait      command.Wait
	// FinishAfter is how long after a user was made another request may still be
	// at work on it. It is no less than a request may take.
	FinishAfter time.Duration
}

// A NewUser says what to make. Without a Password a random one is made.
type NewUser struct {
	Name, Password, Email string
	Admin                 bool
}

// Create makes a user in several events. The first one takes the name and the
// last one sets the password; nobody can log in before. When the process ends in
// between, the same call later goes on where it ended. Create returns when the
// user can be read. made is the password that was made, "" when one was given.
// *PasswordError, ErrEmail, ErrName, ErrTaken, *UnfinishedError, *CutOffError.
func (u Users) Create(ctx context.Context, by command.By, want NewUser) (id, made string, seq uint64, err error) {
	if want.Password == "" {
		made = rand.Text()
		want.Password = made
	}
	if err := CheckPassword(want.Name, want.Password); err != nil {
		return "", "", 0, &PasswordError{err}
	}
	if err := CheckEmail(want.Email); err != nil {
		return "", "", 0, err
	}
	id, seq, err = CreateUser(ctx, u.Log, by, want.Name)
	if errors.Is(err, ErrTaken) {
		id, err = u.unfinished(ctx, want.Name, err)
	}
	if err != nil {
		return "", "", 0, err
	}
	if seq, err = u.finish(ctx, by, id, seq, want); err != nil {
		return "", "", 0, &CutOffError{want.Name, u.FinishAfter, err}
	}
	return id, made, seq, u.Wait(ctx, seq)
}

// finish adds what was asked for to a user whose first event is at seq, or
// earlier.
func (u Users) finish(ctx context.Context, by command.By, id string, seq uint64, want NewUser) (uint64, error) {
	// What follows finds the user in the read model.
	if err := u.Wait(ctx, seq); err != nil {
		return 0, err
	}
	if want.Email != "" {
		if _, err := u.Emails.SetEmail(ctx, by, id, want.Email); err != nil {
			return 0, err
		}
	}
	if want.Admin {
		if _, err := SetStanding(ctx, u.Log, by, u.Read, id, true, false); err != nil {
			return 0, err
		}
	}
	return u.Passwords.SetPassword(ctx, by, id, want.Password)
}

// unfinished is the id of a user whose creation was cut off. Else it is the
// error taken, or an *UnfinishedError while another request may be at work.
func (u Users) unfinished(ctx context.Context, name string, taken error) (string, error) {
	a, err := FindUser(ctx, u.Read, name)
	switch {
	case err != nil || a.PasswordSeq != 0 || a.Erased:
		return "", taken
	case time.Since(a.Created) < u.FinishAfter:
		return "", &UnfinishedError{u.FinishAfter - time.Since(a.Created)}
	}
	return a.ID, nil
}
