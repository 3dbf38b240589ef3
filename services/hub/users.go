package hub

import (
	"context"
	"crypto/rand"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

type createUserIn struct {
	Body struct {
		Name     string `json:"name" minLength:"2" maxLength:"40" doc:"Login name: lower-case letters, digits, and single . _ - between them"`
		Password string `json:"password,omitempty" maxLength:"1024" doc:"Absent: one is made and shown once"`
		Email    string `json:"email,omitempty" maxLength:"254" doc:"Kept encrypted, apart from the log"`
		Admin    bool   `json:"admin,omitempty" doc:"Administrator of the hub"`
	}
}

type createdUser struct {
	UserView
	Seq      uint64 `json:"seq" doc:"Sequence of the change in the log"`
	Password string `json:"password,omitempty" doc:"The password that was made, shown this once"`
}

type standingIn struct {
	UserPath
	Body struct {
		Admin    *bool `json:"admin,omitempty" doc:"Administrator of the hub"`
		Disabled *bool `json:"disabled,omitempty" doc:"No credential of theirs is accepted"`
	}
}

func (h *Hub) registerUsers() {
	add(h, operation{method: http.MethodGet, path: "/users", id: "list-users", tag: "users", summary: "List all users"}, h.listUsers)
	add(h, operation{method: http.MethodPost, path: "/users", id: "create-user", tag: "users", status: http.StatusCreated,
		summary: "Make a user", about: "A namespace of that name that was pushed to before there were accounts becomes theirs."}, h.createUser)
	add(h, operation{method: http.MethodPatch, path: "/users/{user}", id: "set-standing", tag: "users",
		summary: "Say who is an administrator, and who is locked out", about: "What is absent stays."}, h.setStanding)
}

func (h *Hub) listUsers(ctx context.Context, c *call, in *Paging) (*list[UserView], error) {
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	users, err := h.Accounts.Accounts(ctx, accounts.KindUser, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]UserView, len(users))
	for i := range users {
		views[i] = shown(&users[i], true)
	}
	return pageOf(c, views, in.Limit, func(v UserView) string { return cursorAt(v.Name) }), nil
}

// createUser makes an account in several events; the first one takes the
// name. A password that is refused is refused before.
func (h *Hub) createUser(ctx context.Context, c *call, in *createUserIn) (*wrote[createdUser], error) {
	want, made := in.Body, ""
	if want.Password == "" {
		made = rand.Text()
		want.Password = made
	}
	if err := h.Passwords.CheckPassword(want.Name, want.Password); err != nil {
		return nil, invalid("body.password", err.Error())
	}
	if err := checkEmail(want.Email); err != nil {
		return nil, err
	}
	id, seq, err := account.CreateUser(ctx, h.Log, by(c.p), want.Name)
	if err == nil {
		err = h.settle(ctx, seq) // the password goes to an account that can be read
	}
	if err != nil {
		return nil, err
	}
	// The other parts find the account in the read model.
	if err := h.settle(ctx, seq); err != nil {
		return nil, err
	}
	if seq, err = h.Passwords.SetPassword(ctx, by(c.p), id, want.Password); err != nil {
		return nil, err
	}
	if want.Email != "" {
		if seq, err = h.Persons.SetEmail(ctx, by(c.p), id, want.Email); err != nil {
			return nil, err
		}
	}
	if want.Admin {
		if seq, err = account.SetStanding(ctx, h.Log, by(c.p), h.Accounts, id, true, false); err != nil {
			return nil, err
		}
	}
	if err := h.settle(ctx, seq); err != nil {
		return nil, err
	}
	a, err := h.Accounts.AccountByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return &wrote[createdUser]{seq, createdUser{shown(a, true), seq, made}}, nil
}

func (h *Hub) setStanding(ctx context.Context, c *call, in *standingIn) (*written, error) {
	a, err := h.user(ctx, in.User)
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
	seq, err := account.SetStanding(ctx, h.Log, by(c.p), h.Accounts, a.ID, admin, disabled)
	return h.done(ctx, seq, err)
}
