package account_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
)

// Who becomes what at once, and who is asked, after every history of a membership.
func TestSetMember(t *testing.T) {
	ctx, bob := t.Context(), &accounts.Account{ID: id(2), Name: "bob", Kind: accounts.KindUser}
	owner, admin := access.Principal{Kind: access.User, ID: id(1), Name: "olga"}, access.Principal{Kind: access.User, ID: id(3), Name: "root", Admin: true}
	granted := func(role string) events.Payload {
		return events.MembershipGranted{Organization: id(9), Group: id(9), User: id(2), Role: role}
	}
	invited := func(role string, in time.Duration) events.Payload {
		return events.MembershipInvited{Organization: id(9), User: id(2), Role: role, Expires: time.Now().Add(in).UTC()}
	}
	revoked := events.MembershipRevoked{Organization: id(9), Group: id(9), User: id(2)}
	uninvited := events.MembershipUninvited{Organization: id(9), User: id(2)}
	const nothing, grants, invites = 0, 1, 2
	for name, c := range map[string]struct {
		before        []events.Payload
		actor         string // of the last one
		in            bool   // the read model has bob as a member
		member, owner int    // what an owner's wish does
	}{
		"a stranger":                 {member: grants, owner: invites},
		"a member":                   {before: []events.Payload{granted("member")}, in: true, member: nothing, owner: invites},
		"an owner":                   {before: []events.Payload{granted("owner")}, in: true, member: grants, owner: nothing},
		"removed":                    {before: []events.Payload{granted("member"), revoked}, actor: "olga", member: grants, owner: invites},
		"left":                       {before: []events.Payload{granted("member"), revoked}, actor: "bob", member: invites, owner: invites},
		"asked to own":               {before: []events.Payload{invited("owner", time.Hour)}, member: invites, owner: nothing},
		"asked to join":              {before: []events.Payload{invited("member", time.Hour)}, member: nothing, owner: invites},
		"asked long ago":             {before: []events.Payload{invited("owner", -time.Hour)}, member: invites, owner: invites},
		"declined":                   {before: []events.Payload{invited("owner", time.Hour), uninvited}, actor: "bob", member: invites, owner: invites},
		"a member who is asked":      {before: []events.Payload{granted("member"), invited("owner", time.Hour)}, in: true, member: grants, owner: nothing},
		"a member who has declined":  {before: []events.Payload{granted("member"), invited("owner", time.Hour), uninvited}, actor: "bob", in: true, member: grants, owner: invites},
		"left, and was asked before": {before: []events.Payload{revoked, invited("member", time.Hour), uninvited}, actor: "olga", member: invites, owner: invites},
	} {
		t.Run(name, func(t *testing.T) {
			for _, wish := range []struct {
				role string
				p    access.Principal
				want int
			}{{events.RoleMember, owner, c.member}, {events.RoleOwner, owner, c.owner}, {events.RoleMember, admin, -1}, {events.RoleOwner, admin, -1}} {
				d := open(t)
				for _, p := range c.before {
					if _, err := command.Append(ctx, d.log, command.By{Source: "/test", Actor: c.actor}, p, events.AnySeq); err != nil {
						t.Fatal(err)
					}
				}
				read := &people{}
				if c.in {
					read.members = []accounts.Membership{member(9, 2, events.RoleMember)}
				}
				before := d.last()
				_, asked, err := account.SetMember(ctx, d.log, by, read, wish.p, id(9), bob, wish.role)
				if err != nil {
					t.Fatal(err)
				}
				last, seq, err := command.Latest(ctx, d.log, revoked.Subject())
				if err != nil {
					t.Fatal(err)
				}
				did := nothing
				switch last.(type) {
				case events.MembershipGranted:
					did = grants
				case events.MembershipInvited:
					did = invites
				}
				switch {
				case wish.want == -1: // an administrator's wish is done
					if last != granted(wish.role) || asked {
						t.Errorf("%s by an administrator: %+v", wish.role, last)
					}
				case wish.want == nothing && seq != before, wish.want != nothing && (seq != before+1 || did != wish.want), asked != (did == invites):
					t.Errorf("%s: %+v at %d after %d, invited %t; want %d", wish.role, last, seq, before, asked, wish.want)
				}
			}
		})
	}
}

// Who leaves while an owner makes them a member is asked to come back.
func TestLeavingWhileBeingAdded(t *testing.T) {
	d, ctx := open(t), t.Context()
	bob := &accounts.Account{ID: id(2), Name: "bob", Kind: accounts.KindUser}
	if _, err := account.GrantMembership(ctx, d.log, by, id(9), id(9), bob.ID, events.RoleOwner); err != nil {
		t.Fatal(err)
	}
	log := &faster{d.log, func() {
		if _, err := account.RevokeMembership(ctx, d.log, command.By{Source: "/test", Actor: "bob"}, id(9), id(9), bob.ID); err != nil {
			t.Fatal(err)
		}
	}}
	olga := access.Principal{Kind: access.User, ID: id(1), Name: "olga"}
	_, invited, err := account.SetMember(ctx, log, by, &people{}, olga, id(9), bob, events.RoleMember)
	last, _, lerr := command.Latest(ctx, d.log, events.MembershipSubject(id(9), id(9), bob.ID))
	if _, asked := last.(events.MembershipInvited); err != nil || lerr != nil || !invited || !asked {
		t.Errorf("%+v, invited %t, %v, %v", last, invited, err, lerr)
	}
}

// To remove who is no member does not make them one who may be taken in unasked.
func TestRemoveMember(t *testing.T) {
	ctx := t.Context()
	granted := events.MembershipGranted{Organization: id(9), Group: id(9), User: id(2), Role: events.RoleMember}
	revoked := events.MembershipRevoked{Organization: id(9), Group: id(9), User: id(2)}
	invited := events.MembershipInvited{Organization: id(9), User: id(2), Role: events.RoleOwner, Expires: time.Now().Add(time.Hour).UTC()}
	uninvited := events.MembershipUninvited{Organization: id(9), User: id(2)}
	for name, c := range map[string]struct {
		before []events.Payload
		in     bool // the read model has a member
		want   events.Payload
	}{
		"a member":                           {[]events.Payload{granted}, true, revoked},
		"a member who is asked to own":       {[]events.Payload{granted, invited}, true, revoked},
		"a member who has declined to own":   {[]events.Payload{granted, invited, uninvited}, true, revoked},
		"a member that is not read yet":      {[]events.Payload{granted}, false, revoked},
		"who has left":                       {[]events.Payload{granted, revoked}, false, revoked},
		"who has left, and is asked to come": {[]events.Payload{granted, revoked, invited}, false, uninvited},
		"who has declined":                   {[]events.Payload{invited, uninvited}, false, uninvited},
	} {
		t.Run(name, func(t *testing.T) {
			d, read := open(t), &people{}
			for _, p := range c.before {
				if _, err := command.Append(ctx, d.log, by, p, events.AnySeq); err != nil {
					t.Fatal(err)
				}
			}
			if c.in {
				read.members = []accounts.Membership{member(9, 2, events.RoleMember)}
			}
			if _, err := account.RemoveMember(ctx, d.log, by, read, id(9), id(2)); err != nil {
				t.Fatal(err)
			}
			if last, _, err := command.Latest(ctx, d.log, revoked.Subject()); err != nil || last != c.want {
				t.Errorf("%+v, %v; want %+v", last, err, c.want)
			}
		})
	}
	d := open(t)
	d.refuses("a stranger", account.ErrUnknown, func() (uint64, error) { return account.RemoveMember(ctx, d.log, by, &people{}, id(9), id(2)) })
}

// An invitation is accepted once, while it is open, and can be ended.
func TestAnswerInvitation(t *testing.T) {
	ctx := t.Context()
	organization, user := id(9), id(2)
	accept := func(d *decider) func() (uint64, error) {
		return func() (uint64, error) { return account.AcceptInvitation(ctx, d.log, by, organization, user) }
	}
	end := func(d *decider) func() (uint64, error) {
		return func() (uint64, error) { return account.EndInvitation(ctx, d.log, by, organization, user) }
	}
	invite := func(d *decider, role string, in time.Duration) {
		if _, err := command.Append(ctx, d.log, by, events.MembershipInvited{Organization: organization, User: user, Role: role, Expires: time.Now().Add(in)}, events.AnySeq); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t)
	d.refuses("accept none", account.ErrNotInvited, accept(d))
	d.refuses("end none", account.ErrNotInvited, end(d))
	invite(d, events.RoleOwner, time.Hour)
	d.appends("accept", accept(d))
	if last, _, err := command.Latest(ctx, d.log, events.MembershipSubject(organization, organization, user)); err != nil ||
		last != events.Payload(events.MembershipGranted{Organization: organization, Group: organization, User: user, Role: events.RoleOwner}) {
		t.Errorf("%+v, %v", last, err)
	}
	d.refuses("accept again", account.ErrNotInvited, accept(d))
	invite(d, events.RoleOwner, time.Hour)
	d.appends("end", end(d))
	d.refuses("accept what has ended", account.ErrNotInvited, accept(d))
	invite(d, events.RoleOwner, -time.Second)
	d.refuses("accept what has expired", account.ErrNotInvited, accept(d))
	d.appends("end what has expired", end(d))
}

// So many invitations of an organization or to a user may wait for an answer. An
// administrator can name a member all the same.
func TestInvitationsAreBounded(t *testing.T) {
	ctx, bob := t.Context(), &accounts.Account{ID: id(2), Name: "bob", Kind: accounts.KindUser}
	owner, admin := access.Principal{Kind: access.User, ID: id(1), Name: "olga"}, access.Principal{Kind: access.User, Admin: true}
	for name, full := range map[string]accounts.Invitation{"of the organization": {Organization: id(9), User: id(5)}, "to the user": {Organization: id(8), User: id(2)}} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			set := func(read *people, p access.Principal) func() (uint64, error) {
				return func() (uint64, error) {
					seq, _, err := account.SetMember(ctx, d.log, by, read, p, id(9), bob, events.RoleOwner)
					return seq, err
				}
			}
			d.refuses("one more", account.ErrTooManyInvitations, set(&people{invited: slices.Repeat([]accounts.Invitation{full}, 50)}, owner))
			d.appends("the last", set(&people{invited: slices.Repeat([]accounts.Invitation{full}, 49)}, owner))
			d.appends("by an administrator", set(&people{invited: slices.Repeat([]accounts.Invitation{full}, 50)}, admin))
		})
	}
}

// Nobody's organizations keep a user from leaving or being erased.
func TestEraseWaitsForNoOrganization(t *testing.T) {
	d, ctx := open(t), t.Context()
	if _, err := account.GrantMembership(ctx, d.log, by, id(9), id(9), id(1), events.RoleOwner); err != nil {
		t.Fatal(err)
	}
	d.appends("the only owner leaves", func() (uint64, error) { return account.RevokeMembership(ctx, d.log, by, id(9), id(9), id(1)) })
	d.appends("the only owner is erased", func() (uint64, error) { return account.Erase(ctx, d.log, by, admins(true), id(1)) })
	if _, err := account.Erase(ctx, d.log, by, admins(false), id(2)); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("the last administrator: %v", err)
	}
}
