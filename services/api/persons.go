package api

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"strings"

	"hubledger/services/internal/access"
)

type passwordIn struct {
	UserPath
	Body struct {
		Old string `json:"old,omitempty" maxLength:"1024" doc:"The password so far; administrators who reset another's leave it out"`
		New string `json:"new" minLength:"1" maxLength:"1024" doc:"The new one, 8 characters or more"`
	}
}

type emailView struct {
	Email string `json:"email" maxLength:"254" doc:"Empty: none is kept"`
}

type emailIn struct {
	UserPath
	Body emailView
}

type eraseIn struct {
	UserPath
	Body struct {
		Confirm  string `json:"confirm" maxLength:"40" doc:"The login name once more"`
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Of the user who erases themselves"`
	}
}

func (s *API) registerPersons() {
	add(s, operation{method: http.MethodPut, path: "/users/{user}/password", id: "set-password", tag: "users",
		summary: "Change a password", about: "Every session and docker login by the password before ends; access tokens stay."}, s.setPassword)
	add(s, operation{method: http.MethodGet, path: "/users/{user}/email", id: "get-email", tag: "users", summary: "Show the e-mail address"}, s.getEmail)
	add(s, operation{method: http.MethodPut, path: "/users/{user}/email", id: "set-email", tag: "users",
		summary: "Keep an e-mail address", about: "It is kept encrypted and apart from the log."}, s.setEmail)
	add(s, operation{method: http.MethodDelete, path: "/users/{user}/email", id: "remove-email", tag: "users", summary: "Destroy the e-mail address"}, s.removeEmail)
	add(s, operation{method: http.MethodPost, path: "/users/{user}/erasure", id: "erase-user", tag: "users",
		summary: "Erase a person for good", about: "Their password and address are destroyed and nothing of the account is accepted any more. " +
			"The login name stays in the log and is given to nobody else; so do the repositories."}, s.eraseUser)
}

// prove asks users for their password before what only they may do. Others
// got here as administrators, by a credential that is good for all.
func (s *API) prove(ctx context.Context, c *call, user, id, password string) error {
	if c.p.Kind != access.User || c.p.ID != id {
		return nil
	}
	err := s.Passwords.Verify(ctx, c.request, user, password)
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		// The request's own credential was good: nobody has to log in again.
		return fail(http.StatusForbidden, "the password is wrong").because(err)
	}
	return err
}

func (s *API) setPassword(ctx context.Context, c *call, in *passwordIn) (*written, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if err := s.prove(ctx, c, a.Name, a.ID, in.Body.Old); err != nil {
		return nil, err
	}
	if err := s.Passwords.CheckPassword(a.Name, in.Body.New); err != nil {
		return nil, invalid("body.new", err.Error())
	}
	seq, err := s.Passwords.SetPassword(ctx, by(c.p), a.ID, in.Body.New)
	return s.done(ctx, seq, err)
}

func (s *API) getEmail(ctx context.Context, _ *call, in *UserPath) (*wholly[emailView], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	address, err := s.Persons.Email(ctx, a.ID)
	return &wholly[emailView]{emailView{address}}, err
}

func (s *API) setEmail(ctx context.Context, c *call, in *emailIn) (*written, error) {
	if in.Body.Email == "" {
		return nil, invalid("body.email", "DELETE takes an address away")
	}
	if err := checkEmail(in.Body.Email); err != nil {
		return nil, err
	}
	return s.changeEmail(ctx, c, in.User, in.Body.Email)
}

func (s *API) removeEmail(ctx context.Context, c *call, in *UserPath) (*written, error) {
	return s.changeEmail(ctx, c, in.User, "")
}

func (s *API) changeEmail(ctx context.Context, c *call, user, address string) (*written, error) {
	a, err := s.user(ctx, user)
	if err != nil {
		return nil, err
	}
	seq, err := s.Persons.SetEmail(ctx, by(c.p), a.ID, address)
	return s.done(ctx, seq, err)
}

// checkEmail accepts a bare address (RFC 5322, addr-spec) with a domain, or none.
func checkEmail(s string) error {
	if s == "" {
		return nil
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || !strings.Contains(s[strings.LastIndexByte(s, '@'):], ".") || strings.ContainsAny(s, "\"<>() ") {
		return invalid("body.email", "this is no e-mail address")
	}
	return nil
}

func (s *API) eraseUser(ctx context.Context, c *call, in *eraseIn) (*written, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if in.Body.Confirm != a.Name {
		return nil, invalid("body.confirm", "write the login name once more")
	}
	if err := s.prove(ctx, c, a.Name, a.ID, in.Body.Password); err != nil {
		return nil, err
	}
	if err := s.leavesOwners(ctx, a.ID); err != nil {
		return nil, err
	}
	seq, err := s.Persons.Erase(ctx, by(c.p), a.ID)
	return s.done(ctx, seq, err)
}
