package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

func TestTokenLimit(t *testing.T) {
	live := func(access, logins int) (list []accounts.LiveToken) {
		for i := range access {
			list = append(list, accounts.LiveToken{ID: fmt.Sprint("access-", i), Kind: events.TokenAccess})
		}
		for i := range logins {
			list = append(list, accounts.LiveToken{ID: fmt.Sprint("login-", i), Kind: events.TokenLogin})
		}
		return list
	}
	const limit = account.MaxTokens
	for _, c := range []struct {
		access, logins int
		full           bool // no access token may be added
		end            []string
		refused        bool // no login may be added either
	}{
		{0, 0, false, nil, false},
		{limit - 1, 0, false, nil, false},
		{limit - 2, 1, false, nil, false},
		{limit, 0, true, nil, true},
		{limit - 1, 1, true, []string{"login-0"}, false},
		{0, limit, true, []string{"login-0"}, false},
		{0, limit + 2, true, []string{"login-0", "login-1", "login-2"}, false},
		{limit + 1, 1, true, nil, true},
		{limit - 10, 20, true, []string{"login-0", "login-1", "login-2", "login-3", "login-4"}, false},
	} {
		list := live(c.access, c.logins)
		if err := account.CheckTokenLimit(list); errors.Is(err, account.ErrTokenLimit) != c.full || errors.Is(err, account.ErrInvalid) != c.full {
			t.Errorf("%d and %d: %v", c.access, c.logins, err)
		}
		end, err := account.LoginsToEnd(list)
		if errors.Is(err, account.ErrTokenLimit) != c.refused || !slices.Equal(end, c.end) {
			t.Errorf("%d and %d: %q, %v", c.access, c.logins, end, err)
		}
	}
}

func TestTokensThatAreIssued(t *testing.T) {
	now := time.Now()
	login := account.LoginToken("u", "docker", now)
	if login.Kind != events.TokenLogin || login.Owner != "u" || login.Namespace != "u" || login.Level != events.LevelDelete || !login.Expires.After(now) {
		t.Errorf("%+v", login)
	}
	robot := &accounts.Account{ID: "r", Namespace: "o", Kind: accounts.KindRobot}
	token := account.AccessToken(robot, events.TokenIssued{Namespace: "x", Owner: "x", Kind: events.TokenLogin, OwnerKind: "user",
		Name: "ci", Level: events.LevelWrite, Repositories: []string{"o/app"}, Issuers: []string{"t"}})
	if token.Kind != events.TokenAccess || token.Owner != "r" || token.Namespace != "o" || token.OwnerKind != events.GranteeRobot ||
		token.Name != "ci" || token.Level != events.LevelWrite || !slices.Equal(token.Repositories, []string{"o/app"}) || !slices.Equal(token.Issuers, []string{"t"}) {
		t.Errorf("%+v", token)
	}
}

// oneToken is a Tokens that has one.
type oneToken struct{ of accounts.Token }

func (t *oneToken) Token(_ context.Context, id string) (*accounts.Token, error) {
	if id != t.of.ID {
		return nil, accounts.ErrNotFound
	}
	return &t.of, nil
}

// A token that a token issues ends with it. One that a password or the operator
// issues ends with nothing.
func TestIssuedBy(t *testing.T) {
	soon, later := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	read := &oneToken{accounts.Token{ID: "parent", Issuers: []string{"grandparent"}, Expires: &soon}}
	byToken := access.Principal{Kind: access.User, Credential: "parent"}
	for _, p := range []access.Principal{access.Operates, {Kind: access.User, Credential: access.Password}} {
		if e, err := account.IssuedBy(t.Context(), read, p, events.TokenIssued{Expires: &later}); err != nil || e.Issuers != nil || e.Expires != &later {
			t.Errorf("%+v: %+v, %v", p, e, err)
		}
	}
	e, err := account.IssuedBy(t.Context(), read, byToken, events.TokenIssued{})
	if err != nil || !slices.Equal(e.Issuers, []string{"parent", "grandparent"}) || e.Expires == nil || !e.Expires.Equal(soon) {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := account.IssuedBy(t.Context(), read, byToken, events.TokenIssued{Expires: &later}); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("longer than its issuer: %v", err)
	}
	read.of.Issuers = []string{"1", "2", "3", "4"}
	if _, err := account.IssuedBy(t.Context(), read, byToken, events.TokenIssued{}); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("a long chain: %v", err)
	}
	if _, err := account.IssuedBy(t.Context(), read, access.Principal{Kind: access.User}, events.TokenIssued{}); !errors.Is(err, accounts.ErrNotFound) {
		t.Errorf("by no credential: %v", err)
	}
}
