package accounts_test

import (
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// A live token is neither revoked, nor its issuer, nor expired nor of an earlier password.
func TestLiveTokens(t *testing.T) {
	past, future := minute(1), time.Now().Add(time.Hour)
	issue := func(n int, kind string, expires *time.Time) events.Payload {
		return events.TokenIssued{Namespace: id(bob), Token: id(n), Kind: kind, Owner: id(bob), OwnerKind: "user", Name: "x", Hash: []byte{byte(n)}, Level: "read", Expires: expires}
	}
	heir := issue(105, "access", nil).(events.TokenIssued)
	heir.Issuers = []string{id(104)}
	list := append(story(), heir, events.UserPasswordChanged{User: id(bob)}, issue(103, "access", &past), issue(102, "access", &future), issue(101, "login", nil),
		issue(104, "access", nil), events.TokenRevoked{Namespace: id(bob), Token: id(104)})
	onEach(t, list, func(t *testing.T, r accounts.Reader) {
		got, err := r.LiveTokens(t.Context(), id(bob))
		if want := []accounts.LiveToken{{ID: id(102), Kind: "access"}, {ID: id(101), Kind: "login"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	})
}

// Every token says what has ended it, and the list has the good ones first.
func TestEndedTokens(t *testing.T) {
	past := minute(1)
	issue := func(n int, kind string, issuers ...string) events.TokenIssued {
		return events.TokenIssued{Namespace: id(bob), Token: id(n), Kind: kind, Owner: id(bob), OwnerKind: "user", Name: "x", Hash: []byte{byte(n)}, Level: "admin", Issuers: issuers}
	}
	expired := issue(206, "access")
	expired.Expires = &past
	robots := issue(207, "access", id(203))
	robots.Namespace, robots.Owner, robots.OwnerKind = id(acme), id(ci), "robot"
	list := append(story(), issue(201, "login"), issue(202, "access"), events.TokenRevoked{Namespace: id(bob), Token: id(202)},
		issue(203, "access"), issue(204, "access", id(203)), issue(205, "access", id(202), id(203)), events.UserPasswordChanged{User: id(bob)},
		expired, robots, issue(208, "login"))
	onEach(t, list, func(t *testing.T, r accounts.Reader) {
		want := map[string]string{id(201): "password", id(202): "revoked", id(203): "", id(204): "", id(205): "issuer", id(206): "expired", id(207): "", id(208): "",
			id(laptop): "revoked", id(login): "password"}
		for token, ended := range want {
			k, err := r.Token(t.Context(), token)
			check(t, err)
			if got := k.Ended(time.Now()); got != ended {
				t.Errorf("%s has ended by %q, want %q", token, got, ended)
			}
			if k.Kind == events.TokenLogin && k.Level != events.LevelDelete {
				t.Errorf("the login %s has the level %s", token, k.Level)
			}
		}
		// Page by page they are the same as at once, the newest first, and all are there once.
		seen := map[string]bool{}
		for _, ended := range []bool{false, true} {
			all, err := r.Tokens(t.Context(), accounts.TokenList{Owner: id(bob), Ended: ended, N: 100})
			check(t, err)
			q := accounts.TokenList{Owner: id(bob), Ended: ended, N: 1}
			for k := 0; ; k++ {
				page, err := r.Tokens(t.Context(), q)
				check(t, err)
				if len(page) == 0 {
					if k != len(all) {
						t.Errorf("%d tokens page by page, %d at once", k, len(all))
					}
					break
				}
				one := page[0]
				if k >= len(all) || one.ID != all[k].ID || seen[one.ID] || ended != (one.Ended(time.Now()) != "") || q.After != nil && one.Issued.After(q.After.Issued) {
					t.Fatalf("after %+v comes %+v, among those that have ended: %v", q.After, one, ended)
				}
				seen[one.ID], q.After = true, &one
			}
		}
		issued, err := r.IssuedByTokens(t.Context(), id(bob))
		if err != nil || len(issued) != 1 || issued[id(203)] != 2 {
			t.Errorf("issued %v, %v", issued, err)
		}
	})
}
