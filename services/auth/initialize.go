package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// firstAdmin is the login name of the first administrator.
const firstAdmin = "admin"

// First is what the operator needs for the first login.
type First struct {
	Name         string // login name
	Password     string // "" when the operator chose it, and after it was changed
	PasswordFile string // the file on this node with the password, "" for none
	Created      bool   // this call made the administrator
}

// Initialize makes the first administrator when there is none. It may be
// interrupted anywhere and called again, and several nodes may call it at once: one
// of them returns the password that is valid, the others return none.
func (s *Auth) Initialize(ctx context.Context) (First, error) {
	first, err := s.initialize(ctx)
	if err != nil {
		return First{}, fmt.Errorf("make the first administrator: %w", err)
	}
	return first, nil
}

func (s *Auth) initialize(ctx context.Context) (First, error) {
	p, _, err := command.Latest(ctx, s.Log, events.HubSubject())
	if err != nil {
		return First{}, err
	}
	if done, ok := p.(events.HubInitialized); ok {
		return s.firstLogin(ctx, done.Admin, "")
	}
	if s.Secrets == nil {
		return First{}, errReadOnly
	}
	made, err := s.first.make(ctx, s)
	if err != nil {
		return First{}, err
	}
	if err := s.writeFirstPassword(made.password); err != nil {
		return First{}, err
	}
	id, err := s.firstUser(ctx)
	if err != nil {
		return First{}, err
	}
	hash, err := s.storeFirstHash(ctx, id, made)
	if err != nil {
		return First{}, err
	}
	seq, err := account.Initialize(ctx, s.Log, system, id)
	if errors.Is(err, account.ErrInitialized) {
		return s.initialize(ctx) // by another node
	}
	if err != nil {
		return First{}, err
	}
	if err := s.View.Wait(ctx, seq); err != nil {
		return First{}, err
	}
	s.first.forget()
	first, err := s.firstLogin(ctx, id, hash)
	first.Created = true
	return first, err
}

// firstUser makes the administrator's account, or finds the one that an
// earlier call or another node has made.
func (s *Auth) firstUser(ctx context.Context) (string, error) {
	id, _, err := account.CreateUser(ctx, s.Log, system, firstAdmin)
	if !errors.Is(err, account.ErrTaken) {
		return id, err
	}
	p, _, err := command.Latest(ctx, s.Log, events.NamespaceSubject(firstAdmin))
	if err != nil {
		return "", err
	}
	switch p := p.(type) {
	case events.NamespaceCreated:
		if p.Kind == events.KindUser {
			return p.Namespace, nil
		}
	case events.NamespaceAdopted:
		if p.Kind == events.KindUser {
			return p.Namespace, nil
		}
	}
	return "", fmt.Errorf("%q is no user", firstAdmin)
}

// otherNodeTimeout is how long another node that has stored a password has to
// finish, before it is considered dead and its password is replaced.
const otherNodeTimeout = 3 * time.Second

// storeFirstHash stores the password's hash unless another node was faster, and
// returns what it stored, "" for nothing. The other node's stays if that node
// finishes; firstLogin then finds that the password of this node is not the valid one.
func (s *Auth) storeFirstHash(ctx context.Context, userID string, made hashedPassword) (string, error) {
	for waited := time.Duration(0); ; waited += otherNodeTimeout / 10 {
		stored, revision, err := s.Secrets.Get(ctx, passwordKey(userID))
		if err != nil && !errors.Is(err, errNoSecret) {
			return "", err
		}
		if err == nil {
			mine, err := s.isHashOf(ctx, string(stored), made.password)
			if err != nil || mine {
				return string(stored), err
			}
			if p, _, err := command.Latest(ctx, s.Log, events.HubSubject()); err != nil || p != nil {
				return "", err // the other node has finished
			}
		}
		if err != nil || waited >= otherNodeTimeout {
			_, err = s.Secrets.Update(ctx, passwordKey(userID), []byte(made.hash), revision)
			if !errors.Is(err, events.ErrConflict) {
				return made.hash, err
			}
		}
		select {
		case <-time.After(otherNodeTimeout / 10):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

func (s *Auth) isHashOf(ctx context.Context, stored, password string) (bool, error) {
	if stored == "" { // see swapHash
		return false, nil
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, err
	}
	return s.hasher.matches(ctx, trustedCaller, &p, password)
}

// firstLogin returns the password in the file if it is still valid, and removes
// the file otherwise: the password was changed, or another node's is the valid one.
// mine is the hash of that password if it is known: then none has to be made.
func (s *Auth) firstLogin(ctx context.Context, userID, mine string) (First, error) {
	first := First{Name: firstAdmin}
	if s.PasswordFile == "" || s.AdminPassword != "" {
		return first, nil
	}
	written, err := s.writtenPassword()
	if err != nil || written == "" || s.Secrets == nil {
		return first, err
	}
	stored, err := s.storedHash(ctx, userID)
	if err != nil {
		return first, err
	}
	good := stored != nil && stored.String() == mine
	if !good {
		if good, err = s.hasher.matches(ctx, trustedCaller, stored, written); err != nil {
			return first, err
		}
	}
	if !good {
		s.removePasswordFile()
		return first, nil
	}
	first.Password, first.PasswordFile = written, s.PasswordFile
	return first, nil
}
