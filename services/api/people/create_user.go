package people

import (
	"context"
	"errors"

	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

const createUserAbout = "A namespace of that name that was pushed to before there were accounts becomes theirs. " +
	"The account, its address, standing and, last, its password are events of their own. Should the hub stop in between, the user is there and cannot " +
	"log in: two minutes later the same request goes on where it ended."

type createUserIn struct {
	Body apitypes.CreateUserRequest
}

func (s *API) createUser(ctx context.Context, c *endpoint.Call, in *createUserIn) (*openapi.ChangeWith[apitypes.CreatedUser], error) {
	users := account.Users{Log: s.Log, Read: s.Accounts, Passwords: s.Passwords, Emails: s.Persons, Wait: s.Readable, FinishAfter: s.FinishUsersAfter}
	want := account.NewUser{Name: in.Body.Name, Password: in.Body.Password, Email: in.Body.Email, Admin: in.Body.Admin}
	id, made, seq, err := users.Create(ctx, c.By(), want)
	var bad *account.PasswordError
	if errors.As(err, &bad) {
		return nil, endpoint.Invalid("body.password", bad.Error())
	}
	if err != nil {
		return nil, endpoint.Located(err, "body.email", account.ErrEmail)
	}
	a, err := s.Accounts.AccountByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.CreatedUser{User: shown(a, true), Seq: seq, Password: made}), nil
}
