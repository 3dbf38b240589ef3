package api

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type standingIn struct {
	UserPath
	Body struct {
		Admin    *bool `json:"admin,omitempty" doc:"Administrator of the hub"`
		Disabled *bool `json:"disabled,omitempty" doc:"No credential of theirs is accepted"`
	}
}

func (s *API) registerUsers() {
	add(s, operation{method: http.MethodGet, path: "/users", id: "list-users", tag: "users", summary: "List all users"}, s.listUsers)
	add(s, operation{method: http.MethodPost, path: "/users", id: "create-user", tag: "users", status: http.StatusCreated,
		summary: "Make a user", about: createUserAbout}, s.createUser)
	add(s, operation{method: http.MethodPatch, path: "/users/{user}", id: "set-standing", tag: "users",
		summary: "Say who is an administrator, and who is locked out", about: "What is absent stays."}, s.setStanding)
}

func (s *API) listUsers(ctx context.Context, c *call, in *Paging) (*list[UserView], error) {
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	users, err := s.Accounts.Accounts(ctx, accounts.KindUser, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]UserView, len(users))
	for i := range users {
		views[i] = shown(&users[i], true)
	}
	return pageOf(c, views, in.Limit, func(v UserView) string { return cursorAt(v.Name) }), nil
}

func (s *API) setStanding(ctx context.Context, c *call, in *standingIn) (*written, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	admin, disabled := a.Admin, a.Disabled
	if in.Body.Admin != nil {
		admin = *in.Body.Admin
	}
	if in.Body.Disabled != nil {
		disabled = *in.Body.Disabled
	}
	seq, err := account.SetStanding(ctx, s.Log, by(c.p), s.Accounts, a.ID, admin, disabled)
	return s.done(ctx, seq, err)
}
