package api

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/account"
)

// A TokenView is an access token as its owner sees it: never the secret.
type TokenView struct {
	ID           string     `json:"id" format:"uuid" doc:"What it is revoked by"`
	Name         string     `json:"name" doc:"What its owner calls it"`
	Kind         string     `json:"kind" enum:"access,login" doc:"login: what docker login with a password stores in its place"`
	Level        string     `json:"level" enum:"read,write,delete,admin" doc:"write pushes but deletes nothing"`
	Repositories []string   `json:"repositories,omitempty" doc:"Full names it is good for; absent for all"`
	Issued       time.Time  `json:"issued" doc:"When it was made"`
	Expires      *time.Time `json:"expires,omitempty" doc:"Absent for never"`
	Revoked      bool       `json:"revoked" doc:"It is refused"`
	LastUsed     *time.Time `json:"lastUsed,omitempty" doc:"To the second or so"`
}

func shownToken(t accounts.Token, used time.Time) TokenView {
	return TokenView{ID: t.ID, Name: t.Name, Kind: t.Kind, Level: t.Level, Repositories: t.Repositories,
		Issued: t.Issued, Expires: t.Expires, Revoked: t.Revoked, LastUsed: known(used)}
}

type tokenSpec struct {
	Name         string     `json:"name" minLength:"1" maxLength:"100" doc:"What it is for"`
	Level        string     `json:"level" enum:"read,write,delete,admin" doc:"write pushes but deletes nothing; what the owner may not do, the token may not either"`
	Repositories []string   `json:"repositories,omitempty" minItems:"1" maxItems:"100" doc:"Full names it is good for; absent for all"`
	Expires      *time.Time `json:"expires,omitempty" doc:"Absent for never"`
}

type issuedToken struct {
	TokenView
	Token string `json:"token" example:"hlt_…" doc:"The token itself, shown this once"`
	Seq   uint64 `json:"seq" doc:"Sequence of the change in the log"`
}

type issueTokenIn struct {
	UserPath
	Body tokenSpec
}

type tokenIn struct {
	UserPath
	Token string `path:"token" format:"uuid" doc:"Id of the token"`
}

func (s *API) registerTokens() {
	add(s, operation{method: http.MethodGet, path: "/users/{user}/tokens", id: "list-tokens", tag: "tokens",
		summary: "List a user's access tokens", about: "Those that are good first, the newest first."}, s.listTokens)
	add(s, operation{method: http.MethodPost, path: "/users/{user}/tokens", id: "issue-token", tag: "tokens", status: http.StatusCreated,
		summary: "Issue an access token", about: "It is shown once and kept nowhere."}, s.issueToken)
	add(s, operation{method: http.MethodDelete, path: "/users/{user}/tokens/{token}", id: "revoke-token", tag: "tokens",
		summary: "Revoke an access token", about: "It is refused within a second, on every node."}, s.revokeToken)
}

func (s *API) listTokens(ctx context.Context, _ *call, in *UserPath) (*list[TokenView], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.tokensOf(ctx, a)
}

func (s *API) tokensOf(ctx context.Context, a *accounts.Account) (*list[TokenView], error) {
	tokens, err := s.Accounts.Tokens(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
	}
	used, err := s.Used.LastUsed(ctx, ids...)
	if err != nil {
		return nil, err
	}
	views := make([]TokenView, len(tokens))
	for i, t := range tokens {
		views[i] = shownToken(t, used[t.ID])
	}
	return wholeList(views), nil
}

func (s *API) issueToken(ctx context.Context, c *call, in *issueTokenIn) (*wrote[issuedToken], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.issueTo(ctx, c, a, in.Body)
}

func (s *API) issueTo(ctx context.Context, c *call, owner *accounts.Account, want tokenSpec) (*wrote[issuedToken], error) {
	secret, t, seq, err := s.Tokens.IssueToken(ctx, by(c.p), owner, events.TokenIssued{
		Name: want.Name, Level: want.Level, Repositories: want.Repositories, Expires: want.Expires})
	if err != nil {
		return nil, err
	}
	if err := s.settle(ctx, seq); err != nil {
		return nil, err
	}
	kept, err := s.Accounts.Token(ctx, t)
	if err != nil {
		return nil, err
	}
	return &wrote[issuedToken]{seq, issuedToken{shownToken(*kept, time.Time{}), secret, seq}}, nil
}

func (s *API) revokeToken(ctx context.Context, c *call, in *tokenIn) (*written, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.revokeOf(ctx, c, a, in.Token)
}

// revokeOf ends a token that is the owner's own.
func (s *API) revokeOf(ctx context.Context, c *call, owner *accounts.Account, id string) (*written, error) {
	t, err := s.Accounts.Token(ctx, id)
	if err != nil {
		return nil, err
	}
	if t.Owner != owner.ID {
		return nil, notFound()
	}
	seq, err := account.RevokeToken(ctx, s.Log, by(c.p), t.Namespace, t.ID)
	return s.done(ctx, seq, err)
}
