package people

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

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

// TokenListing says which tokens a list has. It is exported because huma ignores embedded
// structs that are not.
type TokenListing struct {
	openapi.Paging
	State string `query:"state" enum:"good,ended" doc:"Only those that are good, or only those that have ended; without it those that are good come first"`
	Kind  string `query:"kind" enum:"access,login,session" doc:"Only those of this kind"`
}

type tokensIn struct {
	UserPath
	TokenListing
}

type tokenIn struct {
	UserPath
	Token string `path:"token" format:"uuid" doc:"Id of the token"`
}

const issuedAbout = "If the request uses an access token, the new token ends when that one is revoked or expires."

func (s *API) registerTokens() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/users/{user}/tokens", ID: "list-tokens", Tag: "tokens", Permission: access.SelfOrHubAdmin, Cost: budget.List,
		Summary: "List a user's access tokens", About: "Valid tokens first, newest first."}, s.listTokens)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/users/{user}/tokens", ID: "issue-token", Tag: "tokens", Permission: access.Self, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Issue an access token", About: "It is shown once and kept nowhere. " + issuedAbout}, s.issueToken)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: "/users/{user}/tokens/{token}", ID: "revoke-token", Tag: "tokens", Permission: access.SelfOrHubAdmin, Cost: budget.Write,
		Summary: "Revoke an access token", About: "Every node refuses it, and all tokens issued with it, within a second."}, s.revokeToken)
}

func (s *API) listTokens(ctx context.Context, c *endpoint.Call, in *tokensIn) (*openapi.List[apitypes.Token], error) {
	a, err := s.user(ctx, in.User)
	if err != nil {
		return nil, err
	}
	return s.tokensOf(ctx, c, a, in.TokenListing)
}

// tokensBehind are at most a page of tokens and one more, those that are good before those
// that have ended.
func (s *API) tokensBehind(ctx context.Context, owner string, in TokenListing) (list []accounts.Token, err error) {
	ended, after, err := parseTokenPlace(in.Cursor)
	if err != nil {
		return nil, err
	}
	q := accounts.TokenList{Owner: owner, Kind: in.Kind, After: after, N: in.Limit + 1}
	if !ended && in.State != "ended" {
		if list, err = s.Accounts.Tokens(ctx, q); err != nil {
			return nil, err
		}
		q.After = nil
	}
	if in.State == "good" || len(list) == q.N {
		return list, nil
	}
	q.Ended, q.N = true, q.N-len(list)
	rest, err := s.Accounts.Tokens(ctx, q)
	return append(list, rest...), err
}

// A place in a list of tokens is whether the token has ended, its time in microseconds, and
// its id.
func tokenPlace(t apitypes.Token) string {
	state := "good"
	if t.Ended != "" {
		state = "ended"
	}
	return fmt.Sprintf("%s %d %s", state, t.Issued.UnixMicro(), t.ID)
}

func parseTokenPlace(cursor string) (ended bool, after *accounts.Token, err error) {
	place, err := openapi.ParseCursor(cursor)
	if err != nil || place == "" {
		return false, nil, err
	}
	parts := strings.Split(place, " ")
	if len(parts) != 3 || parts[0] != "good" && parts[0] != "ended" {
		return false, nil, openapi.BadCursor()
	}
	micro, err := strconv.ParseInt(parts[1], 10, 64)
	if id, bad := uuid.Parse(parts[2]); err != nil || bad != nil || id.String() != parts[2] {
		return false, nil, openapi.BadCursor()
	}
	return parts[0] == "ended", &accounts.Token{ID: parts[2], Issued: time.UnixMicro(micro)}, nil
}

func (s *API) tokensOf(ctx context.Context, c *endpoint.Call, a *accounts.Account, in TokenListing) (*openapi.List[apitypes.Token], error) {
	tokens, err := s.tokensBehind(ctx, a.ID, in)
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
	return openapi.Page(c, views, in.Limit, func(t apitypes.Token) string { return openapi.CursorAt(tokenPlace(t)) }), nil
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
