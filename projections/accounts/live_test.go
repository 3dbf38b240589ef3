package accounts_test

import (
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// A live token is neither revoked nor expired nor of an earlier password.
func TestLiveTokens(t *testing.T) {
	past, future := minute(1), time.Now().Add(time.Hour)
	issue := func(n int, kind string, expires *time.Time) events.Payload {
		return events.TokenIssued{Namespace: id(bob), Token: id(n), Kind: kind, Owner: id(bob), OwnerKind: "user", Name: "x", Hash: []byte{byte(n)}, Level: "read", Expires: expires}
	}
	list := append(story(), events.UserPasswordChanged{User: id(bob)}, issue(103, "access", &past), issue(102, "access", &future), issue(101, "login", nil),
		issue(104, "access", nil), events.TokenRevoked{Namespace: id(bob), Token: id(104)})
	onEach(t, list, func(t *testing.T, r accounts.Reader) {
		got, err := r.LiveTokens(t.Context(), id(bob))
		if want := []accounts.LiveToken{{ID: id(102), Kind: "access"}, {ID: id(101), Kind: "login"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	})
}
