package people

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// shown is a user as the API shows them; whole for themselves and administrators.
func shown(a *accounts.Account, whole bool) apitypes.User {
	v := apitypes.User{Name: a.Name, Erased: a.Erased}
	if whole {
		second := a.SecondFactor != ""
		v.ID, v.Admin, v.Disabled, v.HasEmail, v.SecondFactor, v.Created = a.ID, &a.Admin, &a.Disabled, &a.HasEmail, &second, &a.Created
	}
	return v
}

// UserPath names a user. It is exported because huma ignores embedded structs that
// are not.
type UserPath struct {
	User string `path:"user" maxLength:"40" doc:"Login name"`
}

func (s *API) registerUser() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/user", ID: "whoami", Tag: "users", Permission: access.SignedIn, Cost: budget.Read,
		Summary: "Show your account and what your credential allows"}, s.whoami)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users/{user}", ID: "get-user", Tag: "users", Permission: access.SignedIn, Cost: budget.Read,
		Summary: "Show a user", About: "Accounts other than the user and administrators see only the name."}, s.getUser)
}

func (s *API) whoami(ctx context.Context, c *endpoint.Call, _ *struct{}) (*openapi.Answer[apitypes.Whoami], error) {
	v := apitypes.Whoami{Kind: string(c.Principal.Kind), Name: c.Principal.Name, Admin: c.Principal.Admin, Level: access.Admin.Name()}
	if l := c.Principal.Limit; l != nil {
		v.Level, v.Repositories = l.Level.Name(), l.Repositories
	}
	if c.Principal.Kind == access.User && !c.Principal.Scoped() {
		a, err := s.Accounts.AccountByID(ctx, c.Principal.ID)
		if err != nil {
			return nil, err
		}
		u := shown(a, true)
		v.User = &u
	}
	return openapi.Show(v), nil
}

func (s *API) getUser(ctx context.Context, c *endpoint.Call, in *UserPath) (*openapi.Answer[apitypes.User], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if a.Erased && !c.Principal.Administers() {
		return nil, endpoint.NotFound()
	}
	return openapi.Show(shown(a, c.MaySeeAll(a))), nil
}
