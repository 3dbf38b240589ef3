package access_test

import (
	"fmt"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

// A rung is what the table says of one principal: how far they may go with
// acme/private and acme/public, and whether they may create in acme.
type rung struct {
	who             string
	p               access.Principal
	private, public access.Level
	create          bool
	namespace       access.Level // of acme as such
}

// roles makes acme with a private and a public repository, and everybody there
// is a rule about.
func (h *hub) roles() []rung {
	h.t.Helper()
	ctx := h.t.Context()
	const none, read, del, admin = access.None, access.Read, access.Delete, access.Admin
	first := h.user("first")
	h.done(account.Initialize(ctx, h.log, by, first.ID))
	first.Admin = true
	owner := h.user("owner")
	acme := h.organization("acme", owner)
	private, public := h.repository(acme, "acme/private", events.Private), h.repository(acme, "acme/public", events.Public)
	list := []rung{
		{"anonymous", access.Nobody, none, read, false, none},
		{"operator", access.Operates, admin, admin, true, admin},
		{"administrator", first, admin, admin, true, admin},
		{"owner of the organization", owner, admin, admin, true, admin},
		{"stranger", h.user("stranger"), none, read, false, none},
		{"unknown", access.Principal{Kind: access.User, ID: newID(h.t)}, none, none, false, none},
	}
	demoted := h.user("demoted")
	demoted.Admin = true // says the principal, who was one
	h.done(account.SetStanding(ctx, h.log, by, h.read, demoted.ID, true, false))
	h.wait()
	h.done(account.SetStanding(ctx, h.log, by, h.read, demoted.ID, false, false))
	list = append(list, rung{"administrator of yesterday", demoted, none, read, false, none})

	member := h.user("member")
	h.join(acme, acme, member, events.RoleMember)
	list = append(list, rung{"member without a team", member, none, read, false, read})

	for role, level := range map[string]access.Level{events.RoleRead: read, events.RoleWrite: del, events.RoleAdmin: admin} {
		creates, ns := level > read, min(level, access.Write)
		on := func(kind, grantee string) {
			h.grant(acme, private, kind, grantee, role)
			h.grant(acme, public, kind, grantee, role)
		}
		direct, wide, teamed, teamedWide := h.user("direct-"+role), h.user("wide-"+role), h.user("teamed-"+role), h.user("teamedwide-"+role)
		on("user", direct.ID)
		h.grant(acme, "", "user", wide.ID, role)
		on("team", h.team(acme, "team-"+role, teamed))
		h.grant(acme, "", "team", h.team(acme, "teamwide-"+role, teamedWide), role)
		robot, wideRobot := h.robot(acme, "robot-"+role), h.robot(acme, "robotwide-"+role)
		on("robot", robot.ID)
		h.grant(acme, "", "robot", wideRobot.ID, role)

		left := h.user("left-" + role)
		on("team", h.team(acme, "left-"+role, left))
		h.done(account.RevokeMembership(ctx, h.log, by, acme, acme, left.ID))
		out := h.user("out-" + role)
		outOf := h.team(acme, "out-"+role, out)
		on("team", outOf)
		h.done(account.RevokeMembership(ctx, h.log, by, acme, outOf, out.ID))
		dissolved := h.user("dissolved-" + role)
		on("team", h.team(acme, "dissolved-"+role, dissolved))
		h.done(account.DeleteTeam(ctx, h.log, by, acme, "dissolved-"+role))
		disabled, erased, robotGone := h.user("disabled-"+role), h.user("erased-"+role), h.robot(acme, "gone-"+role)
		on("user", disabled.ID)
		on("user", erased.ID)
		on("robot", robotGone.ID)
		h.wait()
		h.done(account.SetStanding(ctx, h.log, by, h.read, disabled.ID, false, true))
		h.done(account.Erase(ctx, h.log, by, h.read, erased.ID))
		h.done(account.DeleteRobot(ctx, h.log, by, acme, "gone-"+role))
		withdrawn := h.user("withdrawn-" + role)
		on("user", withdrawn.ID)
		for _, repo := range []string{private, public} {
			h.done(account.WithdrawGrant(ctx, h.log, by, events.GrantWithdrawn{Namespace: acme, Repository: repo, Grantee: withdrawn.ID, GranteeKind: "user"}))
		}
		forged := robot // a robot account's id does not make a user
		forged.Kind = access.User
		list = append(list,
			rung{"grant: " + role, direct, level, level, false, none},
			rung{"grant on the namespace: " + role, wide, level, level, creates, ns},
			rung{"team: " + role, teamed, level, level, false, read},
			rung{"team on the namespace: " + role, teamedWide, level, level, creates, max(ns, read)},
			rung{"robot: " + role, robot, level, level, false, none},
			rung{"robot on the namespace: " + role, wideRobot, level, level, creates, ns},
			rung{"left the organization: " + role, left, none, read, false, none},
			rung{"left the team: " + role, out, none, read, false, read},
			rung{"of a deleted team: " + role, dissolved, none, read, false, read},
			rung{"disabled: " + role, disabled, none, none, false, none},
			rung{"erased: " + role, erased, none, none, false, none},
			rung{"deleted robot: " + role, robotGone, none, none, false, none},
			rung{"withdrawn: " + role, withdrawn, none, read, false, none},
			rung{"robot said to be a user: " + role, forged, none, none, false, none},
		)
	}
	h.wait()
	return list
}

// limits are what credentials can be good for; names is whether those of acme are among theirs.
var limits = []struct {
	limit *access.Limit
	names bool
}{
	{nil, true},
	{&access.Limit{Level: access.Read}, true},
	{&access.Limit{Level: access.Write}, true},
	{&access.Limit{Level: access.Delete}, true},
	{&access.Limit{Level: access.Admin}, true},
	{&access.Limit{Level: access.Admin, Repositories: []string{"x/y", "acme/private", "acme/public", "acme/new", "nobody/new"}}, true},
	{&access.Limit{Level: access.Write, Repositories: []string{"acme/private", "acme/public", "acme/new", "nobody/new"}}, true},
	{&access.Limit{Level: access.Admin, Repositories: []string{"acme/other"}}, false},
	{&access.Limit{Level: access.Admin, Repositories: []string{}}, false},
	{&access.Limit{}, true},
}

// Role × visibility × principal × limit of the token, and by the level every action.
func TestTable(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		for _, row := range h.roles() {
			for k, l := range limits {
				p := row.p
				p.Limit = l.limit
				most := access.Admin
				if l.limit != nil {
					most = l.limit.Level
				}
				if !l.names {
					most = access.None
				}
				created := access.None
				creates := row.create && most >= access.Write
				if creates {
					created = most
				}
				for _, c := range []struct {
					name   string
					level  access.Level
					create bool
				}{
					{"acme/private", min(row.private, most), false},
					{"acme/public", min(row.public, most), false},
					{"acme/new", created, creates},
					{"nobody/new", access.None, false},
				} {
					for _, how := range []string{"asked", "remembered"} {
						d, err := h.Repository(t.Context(), p, c.name)
						if err != nil || d.Level != c.level || d.Create != c.create {
							t.Errorf("%s, limit %d, %s (%s): level %d, create %t, %v; want %d, %t", row.who, k, c.name, how, d.Level, d.Create, err, c.level, c.create)
						}
					}
				}
				ns := min(row.namespace, most)
				if p.Scoped() {
					ns = access.None
				}
				if ns == access.Delete {
					ns = access.Write
				}
				if level, n, err := h.Namespace(t.Context(), p, "acme"); err != nil || level != ns || n == nil || n.Name != "acme" {
					t.Errorf("%s, limit %d: namespace %d, %+v, %v; want %d", row.who, k, level, n, err, ns)
				}
			}
		}
	})
}

// Top-level images, namespaces of users, and those that a push made before
// there were accounts.
func TestOtherNamespaces(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		ctx := t.Context()
		first, admin, alice, bob := h.user("first"), h.user("admin"), h.user("alice"), h.user("bob")
		h.done(account.Initialize(ctx, h.log, by, first.ID))
		h.done(account.SetStanding(ctx, h.log, by, h.read, admin.ID, true, false))
		h.wait()
		h.done(account.SetStanding(ctx, h.log, by, h.read, first.ID, false, false))
		admin.Admin = true
		library, legacy := newID(t), newID(t)
		must := func(who access.Principal, name string, level access.Level, create bool) {
			t.Helper()
			h.wait()
			d, err := h.Repository(ctx, who, name)
			if err != nil || d.Level != level || d.Create != create {
				t.Errorf("%s with %s: level %d, create %t, %v; want %d, %t", who.Name, name, d.Level, d.Create, err, level, create)
			}
		}
		must(admin, "busybox", access.Admin, true) // before there is the namespace
		must(admin, "library/busybox/x", access.Admin, true)
		must(first, "busybox", access.None, false)
		h.append(events.NamespaceCreated{Namespace: library, Name: "library"})
		h.append(events.NamespaceCreated{Namespace: legacy, Name: "legacy"})
		top, secret := h.repository(library, "busybox", events.Public), h.repository(library, "secret", "")
		h.repository(legacy, "legacy/app", "")
		h.repository(alice.ID, "alice/app", "")
		h.grant(library, top, "user", bob.ID, events.RoleAdmin)
		h.grant(library, secret, "user", bob.ID, events.RoleWrite)
		h.grant(library, "", "user", alice.ID, events.RoleAdmin)

		must(admin, "busybox", access.Admin, false)
		must(admin, "new", access.Admin, true)
		must(access.Nobody, "busybox", access.Read, false)
		must(access.Nobody, "secret", access.None, false)
		must(first, "secret", access.None, false)
		must(first, "new", access.None, false)
		must(bob, "busybox", access.Read, false)
		must(bob, "secret", access.Read, false)
		must(alice, "secret", access.Read, false)
		must(alice, "new", access.None, false)

		must(alice, "alice/app", access.Admin, false)
		must(alice, "alice/new", access.Admin, true)
		must(bob, "alice/app", access.None, false)
		must(bob, "alice/new", access.None, false)
		must(admin, "alice/new", access.Admin, true)

		must(first, "legacy/app", access.Admin, false)
		must(first, "legacy/new", access.Admin, true)
		must(bob, "legacy/app", access.None, false)
		adopted, seq, err := account.CreateUser(ctx, h.log, by, "legacy")
		h.done(seq, err)
		if adopted != legacy {
			t.Fatalf("adopted as %s, not %s", adopted, legacy)
		}
		must(first, "legacy/app", access.None, false)
		must(access.Principal{Kind: access.User, ID: adopted, Name: "legacy"}, "legacy/app", access.Admin, false)
	})
}

// What is private and what is not there take the same queries and give the
// same answer, to everybody who may not see it.
func TestPrivateLooksLikeMissing(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		for _, row := range h.roles() {
			if row.private > access.None {
				continue
			}
			want := ""
			for _, name := range []string{"acme/private", "acme/nothing", "nobody/nothing"} {
				before := h.asked.Load()
				d, err := h.Repository(t.Context(), row.p, name)
				got := fmt.Sprint(d.Level, d.Create, err, h.asked.Load()-before)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s: %s gives %s, the private one %s", row.who, name, got, want)
				}
				before = h.asked.Load()
				if _, err := h.Repository(t.Context(), row.p, name); err != nil || h.asked.Load() != before {
					t.Errorf("%s: %s is asked for again: %v", row.who, name, err)
				}
			}
		}
	})
}
