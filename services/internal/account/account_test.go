package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

var by = command.By{Source: "/test", Actor: "tester"}

// id is a UUIDv7 with that number.
func id(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

// A decider runs commands one after another and checks what each appends to the log.
type decider struct {
	*testing.T
	log *streams.Log
}

func open(t *testing.T) *decider { return &decider{t, streamtest.Open(t, "")} }

func (d *decider) last() uint64 {
	d.Helper()
	seq, err := d.log.LastSeq(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	return seq
}

// appends runs a command that is to append one event.
func (d *decider) appends(what string, do func() (uint64, error)) uint64 {
	d.Helper()
	before := d.last()
	seq, err := do()
	if err != nil || seq != before+1 || d.last() != seq {
		d.Fatalf("%s: %d, %v, %d events more", what, seq, err, d.last()-before)
	}
	return seq
}

// appendsNothing runs a command whose event is in the log already, at seq.
func (d *decider) appendsNothing(what string, seq uint64, do func() (uint64, error)) {
	d.Helper()
	before := d.last()
	if got, err := do(); err != nil || got != seq || d.last() != before {
		d.Errorf("%s: %d, %v, %d events more; want %d", what, got, err, d.last()-before, seq)
	}
}

// refuses runs a command that is to fail and to leave nothing behind.
func (d *decider) refuses(what string, want error, do func() (uint64, error)) {
	d.Helper()
	before := d.last()
	if seq, err := do(); !errors.Is(err, want) || seq != 0 || d.last() != before {
		d.Errorf("%s: %d, %v, %d events more; want %v", what, seq, err, d.last()-before, want)
	}
}

// admins says whether there is another administrator.
type admins bool

func (a admins) OtherAdmin(context.Context, string) (bool, error) { return bool(a), nil }

func TestNamespaces(t *testing.T) {
	d, ctx := open(t), t.Context()
	var made string
	create := func(name string) func() (uint64, error) {
		return func() (seq uint64, err error) {
			made, seq, err = account.CreateUser(ctx, d.log, by, name)
			return seq, err
		}
	}
	d.appends("user", create("alice"))
	alice := made
	d.refuses("again", account.ErrTaken, create("alice"))
	d.refuses("reserved", account.ErrName, create("library"))
	d.refuses("organization of that name", account.ErrTaken, func() (uint64, error) {
		_, seq, err := account.CreateOrganization(ctx, d.log, by, "alice", alice)
		return seq, err
	})
	d.refuses("organization of nobody", account.ErrUnknown, func() (uint64, error) {
		_, seq, err := account.CreateOrganization(ctx, d.log, by, "acme", "x")
		return seq, err
	})
	d.refuses("organization without a name", account.ErrName, func() (uint64, error) {
		_, seq, err := account.CreateOrganization(ctx, d.log, by, "", alice)
		return seq, err
	})

	for name, adopts := range map[string]string{"acme": "", "old": id(1)} {
		if adopts != "" {
			d.appends("push", func() (uint64, error) {
				return command.Append(ctx, d.log, by, events.NamespaceCreated{Namespace: adopts, Name: name}, 0)
			})
		}
		before := d.last()
		org, seq, err := account.CreateOrganization(ctx, d.log, by, name, alice)
		if err != nil || seq != before+2 || d.last() != seq || adopts != "" && org != adopts {
			t.Fatalf("organization %s: %s, %d, %v", name, org, seq, err)
		}
		p, _, err := command.Latest(ctx, d.log, events.MembershipSubject(org, org, alice))
		if want := (events.MembershipGranted{Organization: org, Group: org, User: alice, Role: events.RoleOwner}); err != nil || p != events.Payload(want) {
			t.Errorf("owner of %s: %+v, %v", name, p, err)
		}
		p, _, err = command.Latest(ctx, d.log, events.NamespaceSubject(name))
		want := events.Payload(events.NamespaceCreated{Namespace: org, Name: name, Kind: events.KindOrganization})
		if adopts != "" {
			want = events.NamespaceAdopted{Namespace: org, Name: name, Kind: events.KindOrganization}
		}
		if err != nil || p != want {
			t.Errorf("namespace %s: %+v, %v", name, p, err)
		}
		d.refuses("what was adopted", account.ErrTaken, create(name))
	}

	quota := func(n int64) func() (uint64, error) {
		return func() (uint64, error) { return account.SetQuota(ctx, d.log, by, alice, n, 0) }
	}
	seq := d.appends("quota", quota(5))
	d.appendsNothing("quota again", seq, quota(5))
	d.appends("no quota", quota(0))
	d.refuses("negative quota", account.ErrInvalid, quota(-1))
}

// Of many who want one name, one gets it, pushed before or not.
func TestOneNameOnce(t *testing.T) {
	d, ctx := open(t), t.Context()
	if _, err := command.Append(ctx, d.log, by, events.NamespaceCreated{Namespace: id(1), Name: "old"}, 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "old"} {
		ids, errs := make([]string, 6), make([]error, 6)
		var work sync.WaitGroup
		for k := range ids {
			work.Go(func() {
				if k%2 == 0 {
					ids[k], _, errs[k] = account.CreateUser(ctx, d.log, by, name)
				} else {
					ids[k], _, errs[k] = account.CreateOrganization(ctx, d.log, by, name, id(10+k))
				}
			})
		}
		work.Wait()
		won := ""
		for k, err := range errs {
			switch {
			case err == nil && won == "":
				won = ids[k]
			case !errors.Is(err, account.ErrTaken):
				t.Errorf("%s: %d got %q, %v", name, k, ids[k], err)
			}
		}
		if won == "" || name == "old" && won != id(1) {
			t.Errorf("%s: nobody got it, or with the id %q", name, won)
		}
		owners := 0
		for k := range ids {
			p, _, err := command.Latest(ctx, d.log, events.MembershipSubject(won, won, id(10+k)))
			if err != nil {
				t.Fatal(err)
			}
			if p != nil {
				if owners++; errs[k] != nil {
					t.Errorf("%s: %d lost, and is an owner", name, k)
				}
			}
		}
		if owners > 1 {
			t.Errorf("%s has %d owners", name, owners)
		}
	}
}

func TestUsers(t *testing.T) {
	d, ctx := open(t), t.Context()
	user := id(1)
	initialize := func(who string) func() (uint64, error) {
		return func() (uint64, error) { return account.Initialize(ctx, d.log, by, who) }
	}
	seq := d.appends("initialize", initialize(user))
	d.appendsNothing("again", seq, initialize(user))
	d.refuses("with another", account.ErrInitialized, initialize(id(2)))
	d.refuses("with nobody", account.ErrUnknown, initialize(""))

	standing := func(left admins, admin, disabled bool) func() (uint64, error) {
		return func() (uint64, error) { return account.SetStanding(ctx, d.log, by, left, user, admin, disabled) }
	}
	password := func() (uint64, error) { return account.PasswordChanged(ctx, d.log, by, user) }
	email := func() (uint64, error) { return account.EmailChanged(ctx, d.log, by, user, true) }
	erase := func(left admins) func() (uint64, error) {
		return func() (uint64, error) { return account.Erase(ctx, d.log, by, left, user) }
	}
	d.appends("administrator", standing(false, true, false))
	d.refuses("the last is none any more", account.ErrLastAdmin, standing(false, false, false))
	d.refuses("the last is disabled", account.ErrLastAdmin, standing(false, true, true))
	d.refuses("the last is erased", account.ErrLastAdmin, erase(false))
	d.appends("one of two", standing(true, false, false))
	d.appends("password", password)
	d.appends("another password", password)
	d.appends("e-mail", email)
	seq = d.appends("erased", erase(true))
	d.appendsNothing("erased again", seq, erase(true))
	for what, do := range map[string]func() (uint64, error){"standing": standing(true, true, false), "password": password, "e-mail": email} {
		d.refuses(what+" of who was erased", account.ErrErased, do)
	}
	for _, bad := range []string{"", "x", "_", id(1) + ".x", "*", strings.ToUpper("0191d1a0-0000-7000-8000-00000000000a")} {
		user = bad
		for what, do := range map[string]func() (uint64, error){"standing": standing(true, true, false), "password": password, "e-mail": email, "erase": erase(true)} {
			d.refuses(what+" of "+bad, account.ErrUnknown, do)
		}
	}
}

func TestMembersTeamsAndRobots(t *testing.T) {
	d, ctx := open(t), t.Context()
	org, user := id(1), id(2)
	join := func(group, role string) func() (uint64, error) {
		return func() (uint64, error) { return account.GrantMembership(ctx, d.log, by, org, group, user, role) }
	}
	leave := func(group string) func() (uint64, error) {
		return func() (uint64, error) { return account.RevokeMembership(ctx, d.log, by, org, group, user) }
	}
	d.refuses("leave what one never was in", account.ErrUnknown, leave(org))
	seq := d.appends("member", join(org, events.RoleMember))
	d.appendsNothing("member again", seq, join(org, events.RoleMember))
	d.appends("owner", join(org, events.RoleOwner))
	d.appends("of a team", join(id(3), events.RoleMember))
	d.refuses("owner of a team", account.ErrInvalid, join(id(3), events.RoleOwner))
	d.refuses("with no role", account.ErrInvalid, join(org, ""))
	d.refuses("of nothing", account.ErrUnknown, join("", events.RoleMember))
	seq = d.appends("leave", leave(org))
	d.appendsNothing("leave again", seq, leave(org))
	d.appends("back", join(org, events.RoleMember))
	seq = d.appends("in the team once more, which ended with the organization", join(id(3), events.RoleMember))
	d.appendsNothing("and again", seq, join(id(3), events.RoleMember))

	for what, c := range map[string]struct {
		create func(ctx context.Context, log command.Log, by command.By, org, name, description string) (string, uint64, error)
		end    func(ctx context.Context, log command.Log, by command.By, org, name string) (uint64, error)
	}{"team": {account.CreateTeam, account.DeleteTeam}, "robot": {account.CreateRobot, account.DeleteRobot}} {
		ids := map[string]bool{}
		create := func(org, name, description string) func() (uint64, error) {
			return func() (uint64, error) {
				id, seq, err := c.create(ctx, d.log, by, org, name, description)
				if err == nil {
					ids[id] = true
				}
				return seq, err
			}
		}
		end := func() (uint64, error) { return c.end(ctx, d.log, by, org, "x") }
		d.refuses(what+" that never was", account.ErrUnknown, end)
		d.appends(what, create(org, "x", "what for"))
		d.refuses(what+" again", account.ErrTaken, create(org, "x", ""))
		d.appends(what+" of another organization", create(id(9), "x", ""))
		d.appends(what+" deleted", end)
		d.refuses(what+" deleted again", account.ErrUnknown, end)
		d.appends(what+" anew", create(org, "x", ""))
		if len(ids) != 3 {
			t.Errorf("%s: the ids are %v", what, ids)
		}
		d.refuses(what+" with a bad name", account.ErrName, create(org, "X", ""))
		d.refuses(what+" with a long description", account.ErrInvalid, create(org, "y", strings.Repeat("x", 501)))
		d.refuses(what+" with a broken description", account.ErrInvalid, create(org, "y", "\xff"))
		d.refuses(what+" of nothing", account.ErrUnknown, create("acme", "y", ""))
	}
}
