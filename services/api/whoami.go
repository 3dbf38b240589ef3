package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
)

// A UserView is a user as others see them; what only they and administrators
// of the hub see is absent otherwise.
type UserView struct {
	Name     string     `json:"name" doc:"Login name"`
	Erased   bool       `json:"erased,omitempty" doc:"The account has ended; its name is given to nobody else"`
	ID       string     `json:"id,omitempty" format:"uuid" doc:"Of the user, and of their namespace"`
	Admin    *bool      `json:"admin,omitempty" doc:"Administrator of the hub"`
	Disabled *bool      `json:"disabled,omitempty" doc:"No credential of theirs is accepted"`
	HasEmail *bool      `json:"hasEmail,omitempty" doc:"An e-mail address is kept"`
	Created  *time.Time `json:"created,omitempty" doc:"When the account was made"`
}

// shown makes the view of an account; whole is for themselves and administrators.
func shown(a *accounts.Account, whole bool) UserView {
	v := UserView{Name: a.Name, Erased: a.Erased}
	if whole {
		v.ID, v.Admin, v.Disabled, v.HasEmail, v.Created = a.ID, &a.Admin, &a.Disabled, &a.HasEmail, &a.Created
	}
	return v
}

// user finds the user of a login name.
func (s *API) user(ctx context.Context, name string) (*accounts.Account, error) {
	a, err := s.Accounts.Account(ctx, name)
	if err != nil {
		return nil, err
	}
	if a.Kind != accounts.KindUser {
		return nil, notFound()
	}
	return a, nil
}

// UserPath names a user. It is exported, as all that inputs and answers are
// made of: huma does not look into embedded structs that are not.
type UserPath struct {
	User string `path:"user" maxLength:"40" doc:"Login name"`
}

type whoamiView struct {
	Kind         string   `json:"kind" enum:"user,robot,operator" doc:"What sort of account it is"`
	Name         string   `json:"name" doc:"Login name"`
	Admin        bool     `json:"admin" doc:"Administrator of the hub"`
	Level        string   `json:"level" enum:"read,write,delete,admin" doc:"How far the credential goes"`
	Repositories []string `json:"repositories,omitempty" doc:"What the credential is limited to"`
	// User is there for users.
	User *UserView `json:"user,omitempty"`
}

func (s *API) registerUser() {
	add(s, operation{method: http.MethodGet, path: "/user", id: "whoami", tag: "users",
		summary: "Who am I, and what is my credential good for"}, s.whoami)
	add(s, operation{method: http.MethodGet, path: "/users/{user}", id: "get-user", tag: "users",
		summary: "Show a user", about: "Others than the user and administrators see the name only."}, s.getUser)
}

func (s *API) whoami(ctx context.Context, c *call, _ *struct{}) (*wholly[whoamiView], error) {
	v := whoamiView{Kind: string(c.p.Kind), Name: c.p.Name, Admin: c.p.Admin, Level: levelName(access.Admin)}
	if l := c.p.Limit; l != nil {
		v.Level, v.Repositories = levelName(l.Level), l.Repositories
	}
	if c.p.Kind == access.User {
		a, err := s.Accounts.AccountByID(ctx, c.p.ID)
		if err != nil {
			return nil, err
		}
		u := shown(a, true)
		v.User = &u
	}
	return &wholly[whoamiView]{v}, nil
}

// wholly is an answer that is nothing but its body.
type wholly[T any] struct{ Body T }

func (s *API) getUser(ctx context.Context, c *call, in *UserPath) (*wholly[UserView], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if a.Erased && !c.p.Admin {
		return nil, notFound()
	}
	return &wholly[UserView]{shown(a, c.isOrAdministers(a))}, nil
}

// isOrAdministers says whether all of a user may be shown.
func (c *call) isOrAdministers(a *accounts.Account) bool { return c.p.ID == a.ID || c.p.Admin }
