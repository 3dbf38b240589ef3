package people

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type standingIn struct {
	UserPath
	Body apitypes.StandingRequest
}

func (s *API) registerUsers() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users", ID: "list-users", Tag: "users", Permission: access.HubAdmin, Cost: budget.List, Summary: "List all users"}, s.listUsers)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users", ID: "create-user", Tag: "users", Permission: access.HubAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Make a user", About: createUserAbout}, s.createUser)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPatch, Path: "/users/{user}", ID: "set-standing", Tag: "users", Permission: access.HubAdmin, Cost: budget.Write,
		Summary: "Make a user an administrator, disable a user, or undo either", About: "What is absent stays."}, s.setStanding)
}

func (s *API) listUsers(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.User], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	users, err := s.Accounts.Accounts(ctx, accounts.KindUser, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.User, len(users))
	for i := range users {
		views[i] = shown(&users[i], true)
	}
	return openapi.Page(c, views, in.Limit, func(v apitypes.User) string { return openapi.CursorAt(v.Name) }), nil
}

func (s *API) setStanding(ctx context.Context, c *endpoint.Call, in *standingIn) (*openapi.Change, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	seq, err := account.ChangeStanding(ctx, s.Log, c.By(), s.Accounts, s.Readable, a.ID, in.Body.Admin, in.Body.Disabled)
	return s.Changed(ctx, seq, err)
}
