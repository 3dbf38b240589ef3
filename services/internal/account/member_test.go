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
	"hubledger/services/internal/command"
)

// people is a read model made of lists.
type people struct {
	roles []accounts.Role
	admins
	users   []accounts.Account
	members []accounts.Membership
	spaces  []accounts.Namespace
	teams   []accounts.Team
	tokens  []accounts.Token
	invited []accounts.Invitation
	made    map[string]int // organizations, by who made them
}

func find[T any](list []T, is func(T) bool) (*T, error) {
	if k := slices.IndexFunc(list, is); k >= 0 {
		return &list[k], nil
	}
	return nil, accounts.ErrNotFound
}

func (p *people) Account(_ context.Context, name string) (*accounts.Account, error) {
	return find(p.users, func(a accounts.Account) bool { return a.Name == name })
}

func (p *people) AccountByID(_ context.Context, id string) (*accounts.Account, error) {
	return find(p.users, func(a accounts.Account) bool { return a.ID == id })
}

func (p *people) Namespace(_ context.Context, name string) (*accounts.Namespace, error) {
	return find(p.spaces, func(n accounts.Namespace) bool { return n.Name == name })
}

func (p *people) Team(_ context.Context, organization, name string) (*accounts.Team, error) {
	return find(p.teams, func(t accounts.Team) bool { return t.Organization == organization && t.Name == name })
}

func (p *people) Token(_ context.Context, id string) (*accounts.Token, error) {
	return find(p.tokens, func(t accounts.Token) bool { return t.ID == id })
}

func (p *people) Membership(_ context.Context, group, user string) (*accounts.Membership, error) {
	return find(p.members, func(m accounts.Membership) bool { return m.Group == group && m.User == user })
}

func (p *people) Invitations(_ context.Context, organization string, _ time.Time) ([]accounts.Invitation, error) {
	return slices.DeleteFunc(slices.Clone(p.invited), func(v accounts.Invitation) bool { return v.Organization != organization }), nil
}

func (p *people) InvitationsOf(_ context.Context, user string, _ time.Time) ([]accounts.Invitation, error) {
	return slices.DeleteFunc(slices.Clone(p.invited), func(v accounts.Invitation) bool { return v.User != user }), nil
}

func (p *people) Roles(context.Context, string, string, string) ([]accounts.Role, error) {
	return p.roles, nil
}

func (p *people) OrganizationsMade(_ context.Context, name string) (int, error) {
	return p.made[name], nil
}

func member(organization, user int, role string) accounts.Membership {
	return accounts.Membership{Organization: id(organization), Group: id(organization), GroupName: fmt.Sprint("org", organization),
		User: id(user), Name: fmt.Sprint("user", user), Role: role}
}

func TestTeamsTakeMembers(t *testing.T) {
	d, ctx := open(t), t.Context()
	read := &people{members: []accounts.Membership{member(9, 1, events.RoleMember)},
		users: []accounts.Account{{ID: id(1), Name: "user1", Kind: accounts.KindUser}, {ID: id(2), Name: "user2", Kind: accounts.KindUser}}}
	team := &accounts.Team{Organization: id(9), ID: id(8), Name: "team"}
	d.appends("take a member in", func() (uint64, error) { return account.AddToTeam(ctx, d.log, by, read, team, "user1") })
	d.refuses("take in somebody else", account.ErrNotMember, func() (uint64, error) { return account.AddToTeam(ctx, d.log, by, read, team, "user2") })
	d.refuses("take in nobody", account.ErrNotMember, func() (uint64, error) { return account.AddToTeam(ctx, d.log, by, read, team, "user3") })
}

// Roles are given to users, and to the teams and robot accounts of the namespace.
func TestRoles(t *testing.T) {
	d, ctx := open(t), t.Context()
	acme := &accounts.Namespace{ID: id(9), Name: "acme"}
	read := &people{users: []accounts.Account{{ID: id(1), Name: "alice", Kind: accounts.KindUser}, {ID: id(2), Name: "gone", Kind: accounts.KindUser, Erased: true},
		{ID: id(3), Name: "acme+ci", Kind: accounts.KindRobot}, {ID: id(4), Name: "other+ci", Kind: accounts.KindRobot}, {ID: id(9), Name: "acme", Kind: accounts.KindOrganization}},
		teams: []accounts.Team{{ID: id(5), Name: "devs", Organization: id(9)}, {ID: id(6), Name: "ops", Organization: id(7)}}}
	for _, c := range []struct {
		kind, name string
		err        error
	}{
		{events.GranteeUser, "alice", nil}, {events.GranteeUser, "gone", account.ErrNoUser}, {events.GranteeUser, "acme", account.ErrNoUser}, {events.GranteeUser, "nobody", account.ErrNoUser},
		{events.GranteeRobot, "ci", nil}, {events.GranteeRobot, "acme+ci", nil}, {events.GranteeRobot, "other+ci", account.ErrNoGrantee},
		{events.GranteeTeam, "devs", nil}, {events.GranteeTeam, "ops", account.ErrNoGrantee},
	} {
		to := account.Role{Namespace: acme, Kind: c.kind, Grantee: c.name}
		if _, err := account.GiveRole(ctx, d.log, by, read, to, events.RoleRead); !errors.Is(err, c.err) {
			t.Errorf("give %s %s: %v", c.kind, c.name, err)
		}
		if _, err := account.WithdrawRole(ctx, d.log, by, read, to); !errors.Is(err, c.err) {
			t.Errorf("withdraw from %s %s: %v", c.kind, c.name, err)
		}
	}
}

// A role that gives nothing is refused, and says why; one that is there may be given again.
func TestUselessRoles(t *testing.T) {
	d, ctx := open(t), t.Context()
	wide := func(role string) accounts.Role { return accounts.Role{Role: role, Wide: true} }
	for name, c := range map[string]struct {
		namespace accounts.Namespace
		has       []accounts.Role
		wide      bool // the new role is on the whole namespace
		role      string
		useless   bool
	}{
		"to nobody in particular":         {role: events.RoleRead},
		"to a user, of their own":         {namespace: accounts.Namespace{ID: id(1), Kind: events.KindUser}, role: events.RoleRead, useless: true},
		"to an owner":                     {has: []accounts.Role{{Role: events.RoleOwner, Member: true}}, role: events.RoleAdmin, useless: true},
		"to an owner, on all":             {has: []accounts.Role{{Role: events.RoleOwner, Member: true}}, wide: true, role: events.RoleAdmin, useless: true},
		"to a member":                     {has: []accounts.Role{{Role: events.RoleMember, Member: true}}, role: events.RoleRead},
		"less than on all":                {has: []accounts.Role{wide(events.RoleWrite)}, role: events.RoleRead, useless: true},
		"the same as on all":              {has: []accounts.Role{wide(events.RoleWrite)}, role: events.RoleWrite, useless: true},
		"more than on all":                {has: []accounts.Role{wide(events.RoleWrite)}, role: events.RoleAdmin},
		"less on all":                     {has: []accounts.Role{wide(events.RoleWrite)}, wide: true, role: events.RoleRead},
		"as by a team":                    {has: []accounts.Role{{Role: events.RoleWrite, Wide: true, Team: "devs"}}, role: events.RoleWrite},
		"again, given before that on all": {has: []accounts.Role{{Role: events.RoleRead}, wide(events.RoleWrite)}, role: events.RoleRead},
		"to read top-level images":        {namespace: accounts.Namespace{Name: "library"}, role: events.RoleRead},
		"to push top-level images":        {namespace: accounts.Namespace{Name: "library"}, role: events.RoleWrite, useless: true},
	} {
		t.Run(name, func(t *testing.T) {
			read := &people{users: []accounts.Account{{ID: id(1), Name: "alice", Kind: accounts.KindUser}}, roles: c.has}
			if c.namespace.ID == "" {
				c.namespace.ID = id(9)
			}
			on := account.Role{Namespace: &c.namespace, Repository: id(3), Kind: events.GranteeUser, Grantee: "alice"}
			if c.wide {
				on.Repository = ""
			}
			if _, err := account.GiveRole(ctx, d.log, by, read, on, c.role); errors.Is(err, account.ErrUseless) != c.useless || !c.useless && err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTokenOfAnother(t *testing.T) {
	d, ctx := open(t), t.Context()
	read := &people{tokens: []accounts.Token{{ID: id(5), Owner: id(1), Namespace: id(1)}}}
	revoke := func(owner, token int) func() (uint64, error) {
		return func() (uint64, error) { return account.RevokeTokenOf(ctx, d.log, by, read, id(owner), id(token)) }
	}
	d.refuses("another's", account.ErrUnknown, revoke(2, 5))
	d.refuses("one that is not there", accounts.ErrNotFound, revoke(1, 6))
}

func TestWhoMakesOrganizations(t *testing.T) {
	d, ctx := open(t), t.Context()
	alice := access.Principal{Kind: access.User, ID: id(1), Name: "alice"}
	rich := access.Principal{Kind: access.User, ID: id(2), Name: "rich"}
	admin := access.Principal{Kind: access.User, ID: id(3), Name: "admin", Admin: true}
	read := &people{spaces: []accounts.Namespace{{ID: id(20), Name: "pushed"}, {ID: id(21), Name: "taken", Kind: events.KindOrganization}},
		users: []accounts.Account{{ID: id(1), Name: "alice", Kind: accounts.KindUser}, {ID: id(2), Name: "rich", Kind: accounts.KindUser}, {ID: id(3), Name: "admin", Kind: accounts.KindUser}}}
	for n := range 60 {
		read.members = append(read.members, member(100+n, 1, events.RoleOwner)) // alice owns many that others made
	}
	read.made = map[string]int{"alice": 49, "rich": 50, "admin": 500}
	made := 0
	for _, c := range []struct {
		p          access.Principal
		name       string
		owner      string
		onlyAdmins bool
		err        error
	}{
		{p: alice, name: "a1"},
		{p: alice, name: "a2", owner: "alice"},
		{p: alice, name: "a3", owner: "admin", err: account.ErrOthersOrganization},
		{p: alice, name: "a4", onlyAdmins: true, err: account.ErrAdminsOrganize},
		{p: alice, name: "taken", err: account.ErrTaken},
		{p: alice, name: "pushed", err: account.ErrTaken},
		{p: alice, name: "No", err: account.ErrName},
		{p: rich, name: "a5", err: account.ErrTooMany},
		{p: admin, name: "a6", owner: "rich"},
		{p: admin, name: "a7", onlyAdmins: true},
		{p: admin, name: "a8", owner: "nobody", err: account.ErrNoUser},
		{p: access.Operates, name: "a9", err: account.ErrNoOwner},
		{p: access.Operates, name: "a10", owner: "alice"},
		{p: access.Principal{Kind: access.Robot, Name: "acme+ci"}, name: "a11", err: account.ErrRobotOwner},
	} {
		o := account.Organizations{Log: d.log, Read: read, Wait: func(context.Context, uint64) error { return nil }, OnlyAdmins: c.onlyAdmins, Turn: make(chan struct{}, 1)}
		before := d.last()
		_, seq, err := o.Create(ctx, c.p, by, c.name, c.owner)
		if !errors.Is(err, c.err) || err == nil && seq != d.last() || err != nil && d.last() != before {
			t.Errorf("%s makes %s for %q: event %d, %v", c.p.Name, c.name, c.owner, seq, err)
		}
		if err == nil {
			made++
		}
	}
	if made != 5 {
		t.Errorf("made %d", made)
	}
}

// An accountant keeps passwords and addresses, and follows the log.
type accountant struct {
	*decider
	read  *people
	fails error
}

func (a *accountant) SetPassword(ctx context.Context, by command.By, user, _ string) (uint64, error) {
	if a.fails != nil {
		return 0, a.fails
	}
	return account.PasswordChanged(ctx, a.log, by, user)
}

func (a *accountant) SetEmail(ctx context.Context, by command.By, user, address string) (uint64, error) {
	return account.EmailChanged(ctx, a.log, by, user, address != "")
}

func TestCreateUser(t *testing.T) {
	d, ctx := open(t), t.Context()
	read := &people{admins: true}
	a := &accountant{decider: d, read: read}
	u := account.Users{Log: d.log, Read: read, Passwords: a, Emails: a, FinishAfter: time.Hour, Wait: func(ctx context.Context, seq uint64) error {
		p, _, err := command.Latest(ctx, d.log, events.NamespaceSubject("alice"))
		if made, ok := p.(events.NamespaceCreated); ok && len(read.users) == 0 {
			read.users = append(read.users, accounts.Account{ID: made.Namespace, Name: "alice", Kind: accounts.KindUser, Created: time.Now()})
		}
		return err
	}}
	refuses := func(what string, want account.NewUser, is error) {
		t.Helper()
		d.refuses(what, is, func() (uint64, error) {
			_, _, seq, err := u.Create(ctx, by, want)
			return seq, err
		})
	}
	refuses("a bad password", account.NewUser{Name: "alice", Password: "bad"}, account.ErrInvalid)
	refuses("a bad address", account.NewUser{Name: "alice", Email: "alice"}, account.ErrEmail)
	refuses("a bad name", account.NewUser{Name: "Alice"}, account.ErrName)
	a.fails = errors.New("no such luck")
	want := account.NewUser{Name: "alice", Email: "alice@example.com", Admin: true}
	var cut *account.CutOffError
	if _, _, _, err := u.Create(ctx, by, want); !errors.As(err, &cut) || !errors.Is(err, a.fails) || cut.After != u.FinishAfter {
		t.Fatalf("cut off: %v", err)
	}
	a.fails = nil
	var unfinished *account.UnfinishedError
	if _, _, _, err := u.Create(ctx, by, want); !errors.As(err, &unfinished) || !errors.Is(err, account.ErrTaken) || unfinished.After <= 0 {
		t.Fatalf("while another may be at it: %v", err)
	}
	u.FinishAfter = 0
	user, made, seq, err := u.Create(ctx, by, want)
	if err != nil || user != read.users[0].ID || made == "" || seq != d.last() {
		t.Fatalf("finished: %q %q %d %v", user, made, seq, err)
	}
	read.users[0].PasswordSeq = seq
	refuses("one who is finished", want, account.ErrTaken)
}
