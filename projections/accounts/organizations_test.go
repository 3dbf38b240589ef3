package accounts_test

import (
	"fmt"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/sqlitestore"
)

// An invitation is there until any later event of the membership, until it
// expires, or until its user is erased.
func TestInvitations(t *testing.T) {
	org, carl := id(acme), id(carol)
	later := events.MembershipInvited{Organization: org, User: carl, Role: events.RoleMember, Expires: minute(2000)}
	for name, c := range map[string]struct {
		then []events.Payload
		want string
	}{
		"invited":         {nil, "[acme:carol:owner:tester]"},
		"invited anew":    {[]events.Payload{later}, "[acme:carol:member:tester]"},
		"uninvited":       {[]events.Payload{events.MembershipUninvited{Organization: org, User: carl}}, "[]"},
		"accepted":        {[]events.Payload{events.MembershipGranted{Organization: org, Group: org, User: carl, Role: events.RoleOwner}}, "[]"},
		"removed":         {[]events.Payload{events.MembershipRevoked{Organization: org, Group: org, User: carl}}, "[]"},
		"put into a team": {[]events.Payload{events.MembershipGranted{Organization: org, Group: id(ops), User: carl, Role: events.RoleMember}}, "[acme:carol:owner:tester]"},
		"erased":          {[]events.Payload{events.UserErased{User: carl}}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, append(story(), c.then...), func(t *testing.T, r accounts.Reader) {
				show := func(v accounts.Invitation) string {
					return v.OrganizationName + ":" + v.Name + ":" + v.Role + ":" + v.Inviter
				}
				to, err := r.Invitations(t.Context(), org, minute(999))
				check(t, err)
				of, err := r.InvitationsOf(t.Context(), carl, minute(999))
				check(t, err)
				if a, b := namesOf(to, show), namesOf(of, show); a != c.want || b != c.want {
					t.Errorf("to the organization %s, of the user %s; want %s", a, b, c.want)
				}
				if late, err := r.InvitationsOf(t.Context(), carl, minute(2000)); err != nil || len(late) != 0 {
					t.Errorf("after they expired: %v, %v", late, err)
				}
			})
		})
	}
}

// Lists of organizations say the user's role, and which have no owner.
func TestOrganizations(t *testing.T) {
	list := append(story(), events.NamespaceCreated{Namespace: id(20), Name: "beta", Kind: events.KindOrganization},
		events.MembershipGranted{Organization: id(20), Group: id(20), User: id(bob), Role: events.RoleOwner},
		events.NamespaceCreated{Namespace: id(21), Name: "gamma", Kind: events.KindOrganization},
		events.MembershipGranted{Organization: id(21), Group: id(21), User: id(carol), Role: events.RoleOwner},
		events.MembershipGranted{Organization: id(21), Group: id(21), User: id(bob), Role: events.RoleMember},
		events.UserErased{User: id(carol)},
		events.NamespaceCreated{Namespace: id(22), Name: "delta", Kind: events.KindOrganization},
		events.MembershipGranted{Organization: id(22), Group: id(22), User: id(bob), Role: events.RoleOwner},
		events.MembershipRevoked{Organization: id(22), Group: id(22), User: id(bob)})
	onEach(t, list, func(t *testing.T, r accounts.Reader) {
		ctx := t.Context()
		show := func(o accounts.Organization) string { return fmt.Sprint(o.Name, ":", o.Role, ":", o.Ownerless) }
		for _, c := range []struct {
			what string
			ask  func() ([]accounts.Organization, error)
			want string
		}{
			{"all", func() ([]accounts.Organization, error) { return r.Organizations(ctx, id(bob), "", 9) },
				"[acme:member:false beta:owner:false delta::true gamma:member:true]"},
			{"all of nobody's, a page", func() ([]accounts.Organization, error) { return r.Organizations(ctx, "", "acme", 2) }, "[beta::false delta::true]"},
			{"bob's", func() ([]accounts.Organization, error) { return r.OrganizationsOf(ctx, id(bob), "", 9) },
				"[acme:member:false beta:owner:false gamma:member:true]"},
			{"bob's, a page", func() ([]accounts.Organization, error) { return r.OrganizationsOf(ctx, id(bob), "acme", 1) }, "[beta:owner:false]"},
		} {
			all, err := c.ask()
			if got := namesOf(all, show); err != nil || got != c.want {
				t.Errorf("%s: %s, %v; want %s", c.what, got, err, c.want)
			}
		}
		if o, err := r.Organization(ctx, id(21), id(bob)); err != nil || show(*o) != "gamma:member:true" {
			t.Errorf("one: %+v, %v", o, err)
		}
		if n, err := r.OrganizationsMade(ctx, "tester"); err != nil || n != 4 {
			t.Errorf("made %d, %v", n, err)
		}
		if n, err := r.OrganizationsMade(ctx, "bob"); err != nil || n != 0 {
			t.Errorf("bob made %d, %v", n, err)
		}
		names, err := r.NamespacesOf(ctx, id(bob), "", 9)
		if got := namesOf(names, func(n accounts.Namespace) string { return n.Name }); err != nil || got != "[acme beta bob gamma]" {
			t.Errorf("namespaces of bob: %s, %v", got, err)
		}
		names, err = r.NamespacesOf(ctx, id(alice), "", 9)
		if got := namesOf(names, func(n accounts.Namespace) string { return n.Name }); err != nil || got != "[acme alice old]" {
			t.Errorf("namespaces of the first administrator: %s, %v", got, err)
		}
	})
}

// What one membership costs must not depend on how many there are.
func BenchmarkMemberships(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			list := []events.Payload{events.NamespaceCreated{Namespace: id(1), Name: "alice", Kind: events.KindUser}}
			for k := range n {
				o := id(1000 + k)
				list = append(list, events.NamespaceCreated{Namespace: o, Name: fmt.Sprint("o", k), Kind: events.KindOrganization},
					events.MembershipGranted{Organization: o, Group: o, User: id(1), Role: events.RoleOwner})
			}
			store, err := sqlitestore.Dir(b.TempDir()).Open(b.Context(), &accounts.Projection, projections.Options{})
			check(b, err)
			defer store.Close()
			check(b, projections.CatchUp(b.Context(), store, history(list...), uint64(len(list)), nil))
			r := accounts.Reader{DB: store.DB()}
			for b.Loop() {
				in, err := r.Memberships(b.Context(), id(1))
				if err != nil || len(in) != n {
					b.Fatal(len(in), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/membership")
		})
	}
}
