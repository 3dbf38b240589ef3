package access_test

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

// world is acme with a repository, a team, a robot account, and a user with a
// token who comes to everything by the team.
type world struct {
	*hub
	acme, repo, team, token string
	issuer                  string // of what issued the token
	owner, user, robot      access.Principal
}

func newWorld(h *hub) *world {
	h.t.Helper()
	w := &world{hub: h, owner: h.user("owner"), user: h.user("user")}
	h.done(account.Initialize(h.t.Context(), h.log, by, w.owner.ID))
	w.acme = h.organization("acme", w.owner)
	w.repo = h.repository(w.acme, "acme/app", "")
	w.team = h.team(w.acme, "devs", w.user)
	w.robot = h.robot(w.acme, "ci")
	h.grant(w.acme, w.repo, "team", w.team, events.RoleWrite)
	h.grant(w.acme, w.repo, "robot", w.robot.ID, events.RoleRead)
	w.issuer = newID(h.t)
	w.token = w.issue(events.TokenAccess, newID(h.t), w.issuer)
	w.user.Credential = w.token
	h.wait()
	return w
}

func (w *world) issue(kind string, issuers ...string) string {
	w.t.Helper()
	id := newID(w.t)
	hash := digest.FromString(id)
	w.done(account.IssueToken(w.t.Context(), w.log, by, events.TokenIssued{Namespace: w.user.ID, Token: id, Kind: kind, Owner: w.user.ID,
		OwnerKind: "user", Name: "laptop", Hash: []byte(hash.Encoded())[:32], Level: events.LevelAdmin, Issuers: issuers}))
	return id
}

// see makes the user and the robot account known, and gives what they may.
func (w *world) see() (user, robot access.Level, live error) {
	w.t.Helper()
	w.wait()
	d, err := w.Repository(w.t.Context(), w.user, "acme/app")
	check(w.t, err)
	e, err := w.Repository(w.t.Context(), w.robot, "acme/app")
	check(w.t, err)
	_, live = w.Live(w.t.Context(), w.user)
	return d.Level, e.Level, live
}

// Whatever is taken away is gone as soon as the projection has it, though it
// was remembered.
func TestTakenAway(t *testing.T) {
	for name, c := range map[string]struct {
		do          func(w *world)
		user, robot access.Level
		dead        bool
	}{
		"out of the team": {func(w *world) {
			w.append(events.MembershipRevoked{Organization: w.acme, Group: w.team, User: w.user.ID})
		}, 0, 1, false},
		"out of the company": {func(w *world) {
			w.append(events.MembershipRevoked{Organization: w.acme, Group: w.acme, User: w.user.ID})
		}, 0, 1, false},
		"out and in again": {func(w *world) {
			w.done(account.RevokeMembership(w.t.Context(), w.log, by, w.acme, w.acme, w.user.ID))
			w.join(w.acme, w.acme, w.user, events.RoleMember)
		}, 0, 1, false},
		"team deleted":       {func(w *world) { w.append(events.TeamDeleted{Organization: w.acme, Team: w.team, Name: "devs"}) }, 0, 1, false},
		"grant of the team":  {func(w *world) { w.withdraw("team", w.team) }, 0, 1, false},
		"grant of the robot": {func(w *world) { w.withdraw("robot", w.robot.ID) }, 3, 0, false},
		"robot deleted":      {func(w *world) { w.append(events.RobotDeleted{Organization: w.acme, Robot: w.robot.ID, Name: "ci"}) }, 3, 0, false},
		"disabled":           {func(w *world) { w.append(events.UserStandingChanged{User: w.user.ID, Disabled: true}) }, 0, 1, true},
		"erased":             {func(w *world) { w.append(events.UserErased{User: w.user.ID}) }, 0, 1, true},
		"token revoked":      {func(w *world) { w.append(events.TokenRevoked{Namespace: w.user.ID, Token: w.token}) }, 3, 1, true},
		"issuer revoked":     {func(w *world) { w.append(events.TokenRevoked{Namespace: w.user.ID, Token: w.issuer}) }, 3, 1, true},
		"repository deleted": {func(w *world) {
			w.append(events.RepositoryDeleted{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
		}, 0, 0, false},
		"made the owner":        {func(w *world) { w.join(w.acme, w.acme, w.user, events.RoleOwner) }, 4, 1, false},
		"grant made smaller":    {func(w *world) { w.grant(w.acme, w.repo, "team", w.team, events.RoleRead) }, 1, 1, false},
		"everybody may read":    {func(w *world) { w.withdraw("robot", w.robot.ID); w.open() }, 3, 1, false},
		"everybody could read":  {func(w *world) { w.open(); w.see(); w.withdraw("robot", w.robot.ID); w.close() }, 3, 0, false},
		"password of the user":  {func(w *world) { w.append(events.UserPasswordChanged{User: w.user.ID}) }, 3, 1, false},
		"deleted and made anew": {func(w *world) { w.again() }, 0, 0, false},
		"deleted and restored":  {func(w *world) { w.restored() }, 3, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
			if user, robot, live := w.see(); user != access.Delete || robot != access.Read || live != nil {
				t.Fatalf("before: %d, %d, %v", user, robot, live)
			}
			c.do(w)
			if user, robot, live := w.see(); user != c.user || robot != c.robot || (live != nil) != c.dead {
				t.Errorf("after: %d, %d, %v; want %d, %d, %t", user, robot, live, c.user, c.robot, c.dead)
			}
		})
	}
}

func (w *world) withdraw(kind, grantee string) {
	w.append(events.GrantWithdrawn{Namespace: w.acme, Repository: w.repo, Grantee: grantee, GranteeKind: kind})
}

func (w *world) visibility(v string) {
	w.append(events.RepositoryVisibilityChanged{Namespace: w.acme, Repository: w.repo, Name: "acme/app", Visibility: v})
}
func (w *world) open()  { w.visibility(events.Public) }
func (w *world) close() { w.visibility(events.Private) }

func (w *world) again() {
	w.append(events.RepositoryDeleted{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
	w.see()
	w.repository(w.acme, "acme/app", "")
}

func (w *world) restored() {
	w.append(events.RepositoryDeleted{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
	w.see()
	w.append(events.RepositoryRestored{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
}

// What happens all day leaves what is remembered alone.
func TestKept(t *testing.T) {
	w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
	w.see()
	_, err := w.Visible(t.Context(), w.robot)
	check(t, err)
	for name, do := range map[string]func(){
		"token issued":        func() { w.issue(events.TokenAccess) },
		"other token revoked": func() { w.append(events.TokenRevoked{Namespace: w.user.ID, Token: newID(t)}) },
		"star":                func() { w.append(events.StarGiven{Namespace: w.acme, Repository: w.repo, User: w.user.ID}) },
		"described":           func() { w.append(events.RepositoryDescribed{Namespace: w.acme, Repository: w.repo, Name: "acme/app"}) },
		"summary": func() {
			w.append(events.RepositorySummaryChanged{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
		},
		"policy": func() {
			w.append(events.RepositoryPolicyChanged{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
		},
		"new repository":       func() { w.repository(w.acme, "acme/other", "") },
		"image":                func() { w.append(events.ImagePushed{Namespace: w.acme, Repository: w.repo, Tag: "latest"}) },
		"e-mail of somebody":   func() { w.append(events.UserEmailChanged{User: w.owner.ID, Set: true}) },
		"a type nobody listed": func() { w.append(events.LoginsRefused{Node: "n1"}) },
	} {
		do()
		w.wait()
		before := w.asked.Load()
		if w.see(); w.asked.Load() != before {
			t.Errorf("%s: %d queries", name, w.asked.Load()-before)
		}
	}
}

// Somebody who reads while a right is taken away may still be told of it, but
// it is not remembered.
func TestReadWhileTakenAway(t *testing.T) {
	for pause := 1; ; pause++ {
		w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
		reached, goOn := make(chan struct{}), make(chan struct{})
		calls := 0
		w.view.hook = func() {
			if calls++; calls == pause {
				close(reached)
				<-goOn
			}
		}
		read := make(chan error, 1)
		go func() {
			_, err := w.Repository(t.Context(), w.user, "acme/app")
			read <- err
		}()
		select {
		case <-reached:
		case err := <-read: // there are not so many moments
			check(t, err)
			if pause < 3 {
				t.Fatalf("only %d moments were tried", pause-1)
			}
			return
		}
		w.append(events.MembershipRevoked{Organization: w.acme, Group: w.team, User: w.user.ID})
		w.wait()
		close(goOn)
		check(t, <-read)
		w.view.hook = nil
		if d, err := w.Repository(t.Context(), w.user, "acme/app"); err != nil || d.Level != access.None {
			t.Errorf("moment %d: the old right was remembered: %d, %v", pause, d.Level, err)
		}
	}
}

// A commit of which nothing is known may have changed anything.
func TestUnknownCommit(t *testing.T) {
	for name, c := range map[string]struct {
		commit projections.Commit
		parked bool
	}{
		"of another node": {projections.Commit{From: 1, To: 2}, false},
		"with parked":     {projections.Commit{From: 1, To: 2, Events: []events.Event{}}, true},
	} {
		w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
		w.see()
		w.Committed(c.commit, c.parked)
		before := w.asked.Load()
		if w.see(); w.asked.Load() == before {
			t.Errorf("%s: what was remembered still is", name)
		}
	}
}
