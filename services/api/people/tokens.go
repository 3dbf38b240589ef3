package people

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func shownToken(t accounts.Token, used time.Time, issued int) apitypes.Token {
	v := apitypes.Token{ID: t.ID, Name: t.Name, Kind: t.Kind, Level: t.Level, Repositories: t.Repositories,
		Issued: t.Issued, Expires: t.Expires, Revoked: t.Revoked, Ended: t.Ended(time.Now()), LastUsed: apitypes.Known(used), IssuedTokens: issued}
	if len(t.Issuers) > 0 {
		v.Issuer = t.Issuers[0]
	}
	return v
}

type issueTokenIn struct {
	UserPath
	Body apitypes.TokenRequest
}

type tokenIn struct {
	UserPath
	Token string `path:"token" format:"uuid" doc:"Id of the token"`
}

const issuedAbout = "When the request comes by an access token, the new token ends with that one, revoked or expired."

func (s *API) registerTokens() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users/{user}/tokens", ID: "list-tokens", Tag: "tokens", Permission: access.SelfOrHubAdmin, Cost: budget.List,
		Summary: "List a user's access tokens", About: "Those that are good first, the newest first."}, s.listTokens)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users/{user}/tokens", ID: "issue-token", Tag: "tokens", Permission: access.Self, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Issue an access token", About: "It is shown once and kept nowhere. " + issuedAbout}, s.issueToken)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: "/users/{user}/tokens/{token}", ID: "revoke-token", Tag: "tokens", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Revoke an access token", About: "It is refused within a second, on every node, and with it all tokens that it has issued."}, s.revokeToken)
}

func (s *API) listTokens(ctx context.Context, _ *endpoint.Call, in *UserPath) (*openapi.List[apitypes.Token], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.tokensOf(ctx, a)
}

func (s *API) tokensOf(ctx context.Context, a *accounts.Account) (*openapi.List[apitypes.Token], error) {
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
	issued, err := s.Accounts.IssuedByTokens(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Token, len(tokens))
	for i, t := range tokens {
		views[i] = shownToken(t, used[t.ID], issued[t.ID])
	}
	return openapi.WholeList(views), nil
}

func (s *API) issueToken(ctx context.Context, c *endpoint.Call, in *issueTokenIn) (*openapi.ChangeWith[apitypes.IssuedToken], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.issueTo(ctx, c, a, in.Body)
}

func (s *API) issueTo(ctx context.Context, c *endpoint.Call, owner *accounts.Account, want apitypes.TokenRequest) (*openapi.ChangeWith[apitypes.IssuedToken], error) {
	e, err := account.IssuedBy(ctx, s.Accounts, c.Principal, events.TokenIssued{
		Name: want.Name, Level: want.Level, Repositories: want.Repositories, Expires: want.Expires})
	if err != nil {
		return nil, err
	}
	secret, t, seq, err := s.Tokens.IssueToken(ctx, c.By(), owner, e)
	if err != nil {
		return nil, err
	}
	if err := s.Readable(ctx, seq); err != nil {
		return nil, err
	}
	kept, err := s.Accounts.Token(ctx, t)
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.IssuedToken{Token: shownToken(*kept, time.Time{}, 0), Secret: secret, Seq: seq}), nil
}

func (s *API) revokeToken(ctx context.Context, c *endpoint.Call, in *tokenIn) (*openapi.Change, error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.revokeOf(ctx, c, a, in.Token)
}

// revokeOf revokes a token of that owner.
func (s *API) revokeOf(ctx context.Context, c *endpoint.Call, owner *accounts.Account, id string) (*openapi.Change, error) {
	seq, err := account.RevokeTokenOf(ctx, s.Log, c.By(), s.Accounts, owner.ID, id)
	return s.Changed(ctx, seq, err)
}
