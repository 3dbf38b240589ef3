package account_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
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
	if login.Kind != events.TokenLogin || login.Owner != "u" || login.Namespace != "u" || login.Level != events.LevelAdmin || !login.Expires.After(now) {
		t.Errorf("%+v", login)
	}
	robot := &accounts.Account{ID: "r", Namespace: "o", Kind: accounts.KindRobot}
	token := account.AccessToken(robot, events.TokenIssued{Namespace: "x", Owner: "x", Kind: events.TokenLogin, OwnerKind: "user",
		Name: "ci", Level: events.LevelWrite, Repositories: []string{"o/app"}})
	if token.Kind != events.TokenAccess || token.Owner != "r" || token.Namespace != "o" || token.OwnerKind != events.GranteeRobot ||
		token.Name != "ci" || token.Level != events.LevelWrite || !slices.Equal(token.Repositories, []string{"o/app"}) {
		t.Errorf("%+v", token)
	}
}
