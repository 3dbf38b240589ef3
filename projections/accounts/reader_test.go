package accounts_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections/accounts"
)

const (
	alice, bob, carol = 1, 2, 3
	acme, old         = 4, 5
	devs, gone        = 6, 7
	ci, dead          = 8, 9
	app, lib, lost    = 10, 11, 12
	laptop, login     = 13, 14
	ops               = 15
)

// story is a hub with a bit of everything.
func story() []events.Payload {
	soon := minute(10)
	return []events.Payload{
		events.NamespaceCreated{Namespace: id(alice), Name: "alice", Kind: events.KindUser}, // minute 1
		events.HubInitialized{Admin: id(alice)},
		events.NamespaceCreated{Namespace: id(bob), Name: "bob", Kind: events.KindUser},
		events.NamespaceCreated{Namespace: id(old), Name: "old"},
		events.NamespaceCreated{Namespace: id(carol), Name: "carol"},
		events.NamespaceAdopted{Namespace: id(carol), Name: "carol", Kind: events.KindUser}, // minute 6
		events.NamespaceCreated{Namespace: id(acme), Name: "acme", Kind: events.KindOrganization},
		events.UserPasswordChanged{User: id(bob)}, // 8
		events.UserEmailChanged{User: id(bob), Set: true},
		events.UserStandingChanged{User: id(carol), Admin: true, Disabled: true},
		events.QuotaSet{Namespace: id(acme), Bytes: 5, Images: 6},
		events.MembershipGranted{Organization: id(acme), Group: id(acme), User: id(alice), Role: events.RoleOwner},
		events.MembershipGranted{Organization: id(acme), Group: id(acme), User: id(bob), Role: events.RoleMember},
		events.TeamCreated{Organization: id(acme), Team: id(devs), Name: "devs", Description: "who write"},
		events.TeamCreated{Organization: id(acme), Team: id(gone), Name: "gone"},
		events.TeamCreated{Organization: id(acme), Team: id(ops), Name: "ops"},
		events.MembershipGranted{Organization: id(acme), Group: id(devs), User: id(bob), Role: events.RoleMember},
		events.MembershipGranted{Organization: id(acme), Group: id(gone), User: id(bob), Role: events.RoleMember},
		events.MembershipGranted{Organization: id(acme), Group: id(devs), User: id(carol), Role: events.RoleMember}, // not in acme
		events.TeamDeleted{Organization: id(acme), Team: id(gone), Name: "gone"},
		events.RobotCreated{Organization: id(acme), Robot: id(ci), Name: "ci", Description: "builds"},
		events.RobotCreated{Organization: id(acme), Robot: id(dead), Name: "dead"},
		events.RobotDeleted{Organization: id(acme), Robot: id(dead), Name: "dead"},
		events.RepositoryCreated{Namespace: id(acme), Repository: id(lost), Name: "acme/app"},
		events.RepositoryDeleted{Namespace: id(acme), Repository: id(lost), Name: "acme/app"},
		events.RepositoryCreated{Namespace: id(acme), Repository: id(app), Name: "acme/app", Visibility: events.Public},
		events.RepositoryCreated{Namespace: id(acme), Repository: id(lib), Name: "acme/lib"},
		events.GrantGiven{Namespace: id(acme), Repository: id(app), Grantee: id(devs), GranteeKind: "team", Role: "write"},
		events.GrantGiven{Namespace: id(acme), Repository: id(app), Grantee: id(ci), GranteeKind: "robot", Role: "read"},
		events.GrantGiven{Namespace: id(acme), Repository: id(app), Grantee: id(carol), GranteeKind: "user", Role: "admin"},
		events.GrantGiven{Namespace: id(acme), Repository: id(app), Grantee: id(gone), GranteeKind: "team", Role: "admin"},
		events.GrantGiven{Namespace: id(acme), Repository: id(app), Grantee: id(dead), GranteeKind: "robot", Role: "admin"},
		events.GrantGiven{Namespace: id(acme), Repository: id(lost), Grantee: id(bob), GranteeKind: "user", Role: "admin"},
		events.GrantGiven{Namespace: id(acme), Grantee: id(bob), GranteeKind: "user", Role: "read"},
		events.GrantGiven{Namespace: id(acme), Repository: id(lib), Grantee: id(bob), GranteeKind: "user", Role: "read"},
		events.GrantWithdrawn{Namespace: id(acme), Repository: id(lib), Grantee: id(bob), GranteeKind: "user"},
		events.TokenIssued{Namespace: id(bob), Token: id(laptop), Kind: "access", Owner: id(bob), OwnerKind: "user", Name: "laptop",
			Hash: []byte("hash of laptop"), Level: "write", Repositories: []string{"acme/app"}, Expires: &soon},
		events.TokenIssued{Namespace: id(bob), Token: id(login), Kind: "login", Owner: id(bob), OwnerKind: "user", Name: "login",
			Hash: []byte("hash of login"), Level: "admin"},
		events.TokenRevoked{Namespace: id(bob), Token: id(laptop)},
		events.MembershipInvited{Organization: id(acme), User: id(carol), Role: events.RoleOwner, Expires: minute(1000)},
	}
}

func namesOf[T any](list []T, name func(T) string) string {
	var s []string
	for _, v := range list {
		s = append(s, name(v))
	}
	return fmt.Sprint(s)
}

// There is nothing of a name that a database cannot hold.
func TestNamesThatNothingHas(t *testing.T) {
	onEach(t, story(), func(t *testing.T, r accounts.Reader) {
		ctx, name := t.Context(), "ac\x00me"
		for what, ask := range map[string]func() error{
			"account":    func() error { _, err := r.Account(ctx, name); return err },
			"robot":      func() error { _, err := r.Account(ctx, "acme+"+name); return err },
			"namespace":  func() error { _, err := r.Namespace(ctx, name); return err },
			"team":       func() error { _, err := r.Team(ctx, id(acme), name); return err },
			"repository": func() error { _, err := r.Repository(ctx, name); return err },
		} {
			if err := ask(); !errors.Is(err, accounts.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestAccounts(t *testing.T) {
	onEach(t, story(), func(t *testing.T, r accounts.Reader) {
		ctx := t.Context()
		for _, want := range []accounts.Account{
			{ID: id(alice), Name: "alice", Kind: "user", Namespace: id(alice), Admin: true, Created: minute(1)},
			{ID: id(bob), Name: "bob", Kind: "user", Namespace: id(bob), PasswordSeq: 8, HasEmail: true, Created: minute(3)},
			{ID: id(carol), Name: "carol", Kind: "user", Namespace: id(carol), Admin: true, Disabled: true, Created: minute(6)},
			{ID: id(acme), Name: "acme", Kind: "organization", Namespace: id(acme), Created: minute(7)},
			{ID: id(ci), Name: "acme+ci", Kind: "robot", Namespace: id(acme), Created: minute(21), Description: "builds"},
		} {
			for what, ask := range map[string]func() (*accounts.Account, error){
				"name": func() (*accounts.Account, error) { return r.Account(ctx, want.Name) },
				"id":   func() (*accounts.Account, error) { return r.AccountByID(ctx, want.ID) },
			} {
				if got, err := ask(); err != nil || *got != want {
					t.Errorf("%s by %s: %+v, %v", want.Name, what, got, err)
				}
			}
		}
		for _, name := range []string{"", "old", "nobody", "acme+dead", "acme+", "+ci", "alice+ci", "ci"} {
			if a, err := r.Account(ctx, name); !errors.Is(err, accounts.ErrNotFound) {
				t.Errorf("%q: %+v, %v", name, a, err)
			}
		}
		for _, by := range []string{"", "no id", id(old), id(dead), id(devs)} {
			if a, err := r.AccountByID(ctx, by); !errors.Is(err, accounts.ErrNotFound) {
				t.Errorf("id %q: %+v, %v", by, a, err)
			}
		}
		name := func(a accounts.Account) string { return a.Name }
		for _, c := range []struct{ kind, last, want string }{
			{"user", "", "[alice bob]"}, {"user", "bob", "[carol]"}, {"organization", "", "[acme]"}, {"robot", "", "[acme+ci]"}, {"robot", "acme+ci", "[]"},
		} {
			list, err := r.Accounts(ctx, c.kind, c.last, 2)
			if got := namesOf(list, name); err != nil || got != c.want {
				t.Errorf("%s behind %q: %s, %v", c.kind, c.last, got, err)
			}
		}
		list, err := r.Robots(ctx, id(acme))
		if got := namesOf(list, name); err != nil || got != "[acme+ci]" {
			t.Errorf("robots: %s, %v", got, err)
		}
		if first, err := r.FirstAdmin(ctx); err != nil || first != id(alice) {
			t.Errorf("first administrator: %s, %v", first, err)
		}
	})
}

// Who is left as administrator: the first is one by name until told otherwise.
func TestOtherAdmin(t *testing.T) {
	for _, c := range []struct {
		then        events.Payload
		alice, carl bool // whether there is one beside them
		active      string
	}{
		{nil, false, true, id(alice)},
		{events.UserStandingChanged{User: id(carol), Admin: true}, true, true, min(id(alice), id(carol))},
		{events.UserStandingChanged{User: id(alice)}, false, false, ""},
		{events.UserStandingChanged{User: id(alice), Admin: true, Disabled: true}, false, false, ""},
		{events.UserErased{User: id(alice)}, false, false, ""},
	} {
		list := story()
		if c.then != nil {
			list = append(list, c.then)
		}
		t.Run(fmt.Sprintf("%T", c.then), func(t *testing.T) {
			onEach(t, list, func(t *testing.T, r accounts.Reader) {
				a, err := r.OtherAdmin(t.Context(), id(alice))
				check(t, err)
				b, err := r.OtherAdmin(t.Context(), id(carol))
				check(t, err)
				if a != c.alice || b != c.carl {
					t.Errorf("beside alice: %t, beside carol: %t", a, b)
				}
				if active, err := r.ActiveAdmin(t.Context()); active != c.active || (err != nil) != (c.active == "") {
					t.Errorf("an active administrator: %q, %v", active, err)
				}
			})
		})
	}
}

func TestNamespaces(t *testing.T) {
	onEach(t, story(), func(t *testing.T, r accounts.Reader) {
		ctx := t.Context()
		want := accounts.Namespace{ID: id(acme), Name: "acme", Kind: "organization", QuotaBytes: 5, QuotaImages: 6}
		if n, err := r.Namespace(ctx, "acme"); err != nil || *n != want {
			t.Errorf("by name: %+v, %v", n, err)
		}
		if n, err := r.NamespaceByID(ctx, id(acme)); err != nil || *n != want {
			t.Errorf("by id: %+v, %v", n, err)
		}
		if n, err := r.Namespace(ctx, "nobody"); !errors.Is(err, accounts.ErrNotFound) {
			t.Errorf("one that is not there: %+v, %v", n, err)
		}
		list, err := r.Namespaces(ctx, "acme", 3)
		if got := namesOf(list, func(n accounts.Namespace) string { return n.Name }); err != nil || got != "[alice bob carol]" {
			t.Errorf("behind acme: %s, %v", got, err)
		}
		if left, err := r.Kindless(ctx); err != nil || !slices.Equal(left, []string{id(old)}) {
			t.Errorf("without a kind: %s, %v", left, err)
		}
	})
}

func TestTokens(t *testing.T) {
	onEach(t, story(), func(t *testing.T, r accounts.Reader) {
		ctx := t.Context()
		k, err := r.TokenByHash(ctx, []byte("hash of laptop"))
		check(t, err)
		if k.ID != id(laptop) || k.Namespace != id(bob) || k.Kind != "access" || k.Owner != id(bob) || k.OwnerKind != "user" || k.Name != "laptop" ||
			k.Level != "write" || string(k.Hash) != "hash of laptop" || !slices.Equal(k.Repositories, []string{"acme/app"}) ||
			!k.Issued.Equal(minute(37)) || !k.Expires.Equal(minute(10)) || !k.Revoked || k.Seq != 37 {
			t.Errorf("laptop: %+v", k)
		}
		if k, err = r.Token(ctx, id(login)); err != nil || k.Revoked || k.Expires != nil || k.Repositories != nil || k.Seq != 38 {
			t.Errorf("login: %+v, %v", k, err)
		}
		list, err := r.Tokens(ctx, accounts.TokenList{Owner: id(bob), N: 10})
		if got := namesOf(list, func(k accounts.Token) string { return k.Name }); err != nil || got != "[login]" {
			t.Errorf("of bob, good: %s, %v", got, err)
		}
		list, err = r.Tokens(ctx, accounts.TokenList{Owner: id(bob), Ended: true, N: 10})
		if got := namesOf(list, func(k accounts.Token) string { return k.Name }); err != nil || got != "[laptop]" {
			t.Errorf("of bob: %s, %v", got, err)
		}
		if k, err := r.TokenByHash(ctx, []byte("hash")); !errors.Is(err, accounts.ErrNotFound) {
			t.Errorf("another hash: %+v, %v", k, err)
		}
	})
}

func TestMembersAndTeams(t *testing.T) {
	member := func(m accounts.Membership) string { return m.GroupName + ":" + m.Name + ":" + m.Role }
	ask := func(t *testing.T, want string, list []accounts.Membership, err error) {
		t.Helper()
		if got := namesOf(list, member); err != nil || got != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	backIn := events.MembershipGranted{Organization: id(acme), Group: id(acme), User: id(bob), Role: events.RoleMember}
	left := append(story(), events.MembershipRevoked{Organization: id(acme), Group: id(acme), User: id(bob)})
	for name, c := range map[string]struct {
		list                    []events.Payload
		org, devs, of, ofNobody string
	}{
		"in":   {story(), "[acme:alice:owner acme:bob:member]", "[devs:bob:member]", "[acme:bob:member devs:bob:member]", "[]"},
		"left": {left, "[acme:alice:owner]", "[]", "[]", "[]"},
		"back": {append(left, backIn), "[acme:alice:owner acme:bob:member]", "[]", "[acme:bob:member]", "[]"},
		"back in the team": {append(left, backIn, events.MembershipGranted{Organization: id(acme), Group: id(devs), User: id(bob), Role: events.RoleMember}),
			"[acme:alice:owner acme:bob:member]", "[devs:bob:member]", "[acme:bob:member devs:bob:member]", "[]"},
		"erased": {append(story(), events.UserErased{User: id(bob)}), "[acme:alice:owner]", "[]", "[]", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, c.list, func(t *testing.T, r accounts.Reader) {
				ctx := t.Context()
				list, err := r.Members(ctx, id(acme))
				ask(t, c.org, list, err)
				list, err = r.Members(ctx, id(devs))
				ask(t, c.devs, list, err)
				list, err = r.Members(ctx, id(gone))
				ask(t, "[]", list, err)
				list, err = r.Memberships(ctx, id(bob))
				ask(t, c.of, list, err)
				list, err = r.Memberships(ctx, id(carol))
				ask(t, c.ofNobody, list, err)
				teams, err := r.Teams(ctx, id(acme))
				if got := namesOf(teams, func(t accounts.Team) string { return t.Name }); err != nil || got != "[devs ops]" {
					t.Errorf("teams: %s, %v", got, err)
				}
				team, err := r.Team(ctx, id(acme), "devs")
				if want := (accounts.Team{ID: id(devs), Organization: id(acme), Name: "devs", Description: "who write", Created: minute(14)}); err != nil || *team != want {
					t.Errorf("team: %+v, %v", team, err)
				}
				if team, err := r.Team(ctx, id(acme), "gone"); !errors.Is(err, accounts.ErrNotFound) {
					t.Errorf("a deleted team: %+v, %v", team, err)
				}
			})
		})
	}
}

func TestGrants(t *testing.T) {
	grant := func(g accounts.Grant) string {
		return g.RepositoryName + ":" + g.GranteeKind + ":" + g.GranteeName + ":" + g.Role
	}
	onEach(t, story(), func(t *testing.T, r accounts.Reader) {
		ctx := t.Context()
		for _, c := range []struct {
			what string
			ask  func() ([]accounts.Grant, error)
			want string
		}{
			{"on the repository", func() ([]accounts.Grant, error) { return r.Grants(ctx, id(acme), id(app)) },
				"[acme/app:robot:acme+ci:read acme/app:team:devs:write acme/app:user:carol:admin]"},
			{"on one whose grant was withdrawn", func() ([]accounts.Grant, error) { return r.Grants(ctx, id(acme), id(lib)) }, "[]"},
			{"on a deleted one", func() ([]accounts.Grant, error) { return r.Grants(ctx, id(acme), id(lost)) }, "[]"},
			{"on the namespace", func() ([]accounts.Grant, error) { return r.Grants(ctx, id(acme), "") }, "[acme:user:bob:read]"},
			{"of bob", func() ([]accounts.Grant, error) { return r.GrantsOf(ctx, id(bob)) }, "[acme:user:bob:read]"},
			{"to bob and his teams", func() ([]accounts.Grant, error) { return r.GrantsTo(ctx, id(bob)) }, "[acme:user:bob:read acme/app:team:devs:write]"},
			{"to carol, who is in no organization", func() ([]accounts.Grant, error) { return r.GrantsTo(ctx, id(carol)) }, "[acme/app:user:carol:admin]"},
			{"to a deleted robot account", func() ([]accounts.Grant, error) { return r.GrantsOf(ctx, id(dead)) }, "[]"},
		} {
			list, err := c.ask()
			if got := namesOf(list, grant); err != nil || got != c.want {
				t.Errorf("%s: %s, %v, want %s", c.what, got, err, c.want)
			}
		}
	})
}

func TestRepository(t *testing.T) {
	list := append(story(), events.RepositoryVisibilityChanged{Namespace: id(acme), Repository: id(lib), Name: "acme/lib", Visibility: "public"},
		events.RepositoryVisibilityChanged{Namespace: id(acme), Repository: id(app), Name: "acme/app", Visibility: "secret"})
	onEach(t, list, func(t *testing.T, r accounts.Reader) {
		for _, want := range []accounts.Repository{
			{ID: id(lib), Namespace: id(acme), Name: "acme/lib", Visibility: "public"},
			{ID: id(app), Namespace: id(acme), Name: "acme/app", Visibility: "private"},
		} {
			if got, err := r.Repository(t.Context(), want.Name); err != nil || *got != want {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if got, err := r.Repository(t.Context(), "acme/none"); !errors.Is(err, accounts.ErrNotFound) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
