package people

import (
	"context"
	"errors"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type passwordIn struct {
	UserPath
	Body apitypes.PasswordRequest
}

type emailIn struct {
	UserPath
	Body apitypes.Email
}

type eraseIn struct {
	UserPath
	Body apitypes.EraseRequest
}

func (s *API) registerPersons() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: "/users/{user}/password", ID: "set-password", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Change a password", About: "Ends every session and docker login made with the previous password; access tokens stay."}, s.setPassword)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users/{user}/email", ID: "get-email", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Read, Summary: "Show the e-mail address"}, s.getEmail)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: "/users/{user}/email", ID: "set-email", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Set the e-mail address", About: "It is stored encrypted, outside the log."}, s.setEmail)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: "/users/{user}/email", ID: "remove-email", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Write, Summary: "Destroy the e-mail address"}, s.removeEmail)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users/{user}/erasure", ID: "erase-user", Tag: "users", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Erase a person for good", About: "Their password and address are destroyed and nothing of the account is accepted any more. " +
			"The login name stays in the log and is given to nobody else; so do the repositories."}, s.eraseUser)
}

// provePassword checks the password of users who act on their own account. Others
// who get here are administrators with a full credential.
func (s *API) provePassword(ctx context.Context, c *endpoint.Call, user, id, password string) error {
	if c.Principal.Kind != access.User || c.Principal.ID != id {
		return nil
	}
	err := s.Passwords.Verify(ctx, c.Request, user, password)
	var denied *access.Denied
	if errors.As(err, &denied) && denied.Status == http.StatusUnauthorized {
		// The request's own credential was good: nobody has to log in again.
		return endpoint.Fail(http.StatusForbidden, "the password is wrong").Because(err)
	}
	return err
}

func (s *API) setPassword(ctx context.Context, c *endpoint.Call, in *passwordIn) (*openapi.Change, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if err := s.provePassword(ctx, c, a.Name, a.ID, in.Body.Old); err != nil {
		return nil, err
	}
	if err := account.CheckPassword(a.Name, in.Body.New); err != nil {
		return nil, endpoint.Invalid("body.new", err.Error())
	}
	seq, err := s.Passwords.SetPassword(ctx, c.By(), a.ID, in.Body.New)
	return s.Changed(ctx, seq, err)
}

func (s *API) getEmail(ctx context.Context, _ *endpoint.Call, in *UserPath) (*openapi.Answer[apitypes.Email], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	address, err := s.Persons.Email(ctx, a.ID)
	return openapi.Show(apitypes.Email{Email: address}), err
}

func (s *API) setEmail(ctx context.Context, c *endpoint.Call, in *emailIn) (*openapi.Change, error) {
	if in.Body.Email == "" {
		return nil, endpoint.Invalid("body.email", "DELETE takes an address away")
	}
	return s.changeEmail(ctx, c, in.User, in.Body.Email)
}

func (s *API) removeEmail(ctx context.Context, c *endpoint.Call, in *UserPath) (*openapi.Change, error) {
	return s.changeEmail(ctx, c, in.User, "")
}

func (s *API) changeEmail(ctx context.Context, c *endpoint.Call, user, address string) (*openapi.Change, error) {
	a, err := s.user(ctx, user)
	if err != nil {
		return nil, err
	}
	seq, err := s.Persons.SetEmail(ctx, c.By(), a.ID, address)
	return s.Changed(ctx, seq, endpoint.Located(err, "body.email", account.ErrEmail))
}

func (s *API) eraseUser(ctx context.Context, c *endpoint.Call, in *eraseIn) (*openapi.Change, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	if in.Body.Confirm != a.Name {
		return nil, endpoint.Invalid("body.confirm", "write the login name once more")
	}
	if err := s.provePassword(ctx, c, a.Name, a.ID, in.Body.Password); err != nil {
		return nil, err
	}
	seq, err := s.Persons.Erase(ctx, c.By(), a.ID)
	return s.Changed(ctx, seq, err)
}
