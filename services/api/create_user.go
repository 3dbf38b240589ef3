package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"hubledger/services/internal/account"
)

const createUserAbout = "A namespace of that name that was pushed to before there were accounts becomes theirs. " +
	"The account, its address, standing and, last, its password are events of their own. Should the hub stop in between, the user is there and cannot " +
	"log in: two minutes later the same request goes on where it ended."

type createUserIn struct {
	Body struct {
		Name     string `json:"name" minLength:"2" maxLength:"40" example:"alice" doc:"Login name: lower-case letters, digits, and single . _ - between them"`
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

// createUser makes an account in several events; the first one takes the
// name. A password that is refused is refused before.
func (s *API) createUser(ctx context.Context, c *call, in *createUserIn) (*wrote[createdUser], error) {
	want, made := in.Body, ""
	if want.Password == "" {
		made = rand.Text()
		want.Password = made
	}
	if err := s.Passwords.CheckPassword(want.Name, want.Password); err != nil {
		return nil, invalid("body.password", err.Error())
	}
	if err := checkEmail(want.Email); err != nil {
		return nil, err
	}
	id, seq, err := account.CreateUser(ctx, s.Log, by(c.p), want.Name)
	if errors.Is(err, account.ErrTaken) {
		id, err = s.unfinished(ctx, want.Name, err)
	}
	if err != nil {
		return nil, err
	}
	if seq, err = s.finishUser(ctx, c, id, seq, in, want.Password); err != nil {
		return nil, cutShort(want.Name, err)
	}
	if err := s.settle(ctx, seq); err != nil {
		return nil, err
	}
	a, err := s.Accounts.AccountByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return &wrote[createdUser]{seq, createdUser{shown(a, true), seq, made}}, nil
}

// finishUser gives an account that is event seq, or was there, all that was
// asked for it. The password comes last: who has one is finished, and nobody
// logs in before.
func (s *API) finishUser(ctx context.Context, c *call, id string, seq uint64, in *createUserIn, password string) (uint64, error) {
	// The other parts find the account in the read model.
	if err := s.settle(ctx, seq); err != nil {
		return 0, err
	}
	if in.Body.Email != "" {
		if _, err := s.Persons.SetEmail(ctx, by(c.p), id, in.Body.Email); err != nil {
			return 0, err
		}
	}
	if in.Body.Admin {
		if _, err := account.SetStanding(ctx, s.Log, by(c.p), s.Accounts, id, true, false); err != nil {
			return 0, err
		}
	}
	return s.Passwords.SetPassword(ctx, by(c.p), id, password)
}

// cutShort is the answer to a creation that stopped half-way. It names no
// event, so that the same Idempotency-Key is good for going on.
func cutShort(name string, err error) *problem {
	p := *problemOf(err)
	p.headers = p.headers.Clone()
	p.headers.Del(sequenceHeader)
	p.Detail = "the user " + name + " was made, but cannot log in yet: " + p.Detail + "; send the same again in two minutes, or set the password"
	return p.retryAfter(answerTime).because(err)
}

// unfinished is the id of a user whose creation stopped half-way, or else an
// error: taken, when the name is somebody's.
func (s *API) unfinished(ctx context.Context, name string, taken error) (string, error) {
	a, err := s.user(ctx, name)
	switch {
	case err != nil || a.PasswordSeq != 0 || a.Erased:
		return "", taken
	case time.Since(a.Created) < s.finishAfter:
		return "", fail(http.StatusConflict, "the name is taken by a user who is being made, or whose creation was cut off: then send the same again in two minutes").
			retryAfter(s.finishAfter - time.Since(a.Created)).because(taken)
	}
	return a.ID, nil
}
