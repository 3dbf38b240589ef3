package access_test

import (
	"errors"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/sqlitestore"
	"hubledger/services/internal/access"
)

// poison appends an event to the aggregate of p that cannot be applied.
func (w *world) poison(p events.Payload) {
	w.t.Helper()
	e, err := events.New(p, events.Meta{ID: newID(w.t), Source: "/test", Actor: "tester"})
	check(w.t, err)
	e.Data = []byte(`"poison"`)
	seq, err := w.log.Append(w.t.Context(), e, events.AnySeq)
	check(w.t, err)
	if err := w.view.Wait(w.t.Context(), seq); !errors.Is(err, projections.ErrParked) {
		w.t.Fatalf("the poison was not parked: %v", err)
	}
}

// A removal that could not be applied is not undone by what follows it.
func TestParkedRemoval(t *testing.T) {
	w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
	w.see()
	w.poison(events.MembershipRevoked{Organization: w.acme, Group: w.acme, User: w.user.ID})
	w.append(events.MembershipGranted{Organization: w.acme, Group: w.acme, User: w.user.ID, Role: events.RoleMember})
	if err := w.view.Wait(t.Context(), w.latest); !errors.Is(err, projections.ErrParked) {
		t.Fatalf("what follows a parked event was applied: %v", err)
	}
	if d, err := w.Repository(t.Context(), w.user, "acme/app"); !errors.Is(err, access.ErrParked) || d.Level != access.None {
		t.Errorf("%d, %v", d.Level, err)
	}
	if v, err := w.Visible(t.Context(), w.user); err != nil || slices.Contains(v.Repositories, w.repo) {
		t.Errorf("sees %+v, %v", v, err)
	}
}

// Whoever's rights rest on an event that could not be applied is refused, and
// nobody else is.
func TestParked(t *testing.T) {
	for name, c := range map[string]struct {
		poison      func(w *world) events.Payload
		user, robot bool // refused
		live        bool // the user's credential is refused
		owner       bool // refused
	}{
		"user":        {func(w *world) events.Payload { return events.UserErased{User: w.user.ID} }, true, false, true, false},
		"user's name": {func(w *world) events.Payload { return events.NamespaceCreated{Name: "user"} }, true, false, true, false},
		"membership": {func(w *world) events.Payload {
			return events.MembershipRevoked{Organization: w.acme, Group: w.team, User: w.user.ID}
		}, true, false, false, false},
		"in organization": {func(w *world) events.Payload {
			return events.MembershipRevoked{Organization: w.acme, Group: w.acme, User: w.user.ID}
		}, true, false, false, false},
		"team": {func(w *world) events.Payload { return events.TeamDeleted{Organization: w.acme, Name: "devs"} }, true, false, false, false},
		"team's grant": {func(w *world) events.Payload {
			return events.GrantWithdrawn{Namespace: w.acme, Repository: w.repo, Grantee: w.team}
		}, true, false, false, false},
		"robot": {func(w *world) events.Payload { return events.RobotDeleted{Organization: w.acme, Name: "ci"} }, false, true, false, false},
		"robot's grant": {func(w *world) events.Payload {
			return events.GrantWithdrawn{Namespace: w.acme, Repository: w.repo, Grantee: w.robot.ID}
		}, false, true, false, false},
		"token":        {func(w *world) events.Payload { return events.TokenRevoked{Namespace: w.user.ID, Token: w.token} }, false, false, true, false},
		"repository":   {func(w *world) events.Payload { return events.RepositoryDeleted{Namespace: w.acme, Name: "acme/app"} }, true, true, false, true},
		"organization": {func(w *world) events.Payload { return events.NamespaceCreated{Name: "acme"} }, true, true, false, true},
		"owner": {func(w *world) events.Payload {
			return events.MembershipRevoked{Organization: w.acme, Group: w.acme, User: w.owner.ID}
		}, false, false, false, true},
		"somebody": {func(w *world) events.Payload { return events.UserErased{User: newID(w.t)} }, false, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(start(t, sqlitestore.Dir(t.TempDir())))
			w.see()
			w.poison(c.poison(w))
			for _, x := range []struct {
				who     string
				p       access.Principal
				refused bool
				level   access.Level
			}{
				{"user", w.user, c.user, access.Delete}, {"robot", w.robot, c.robot, access.Read}, {"owner", w.owner, c.owner, access.Admin},
				{"operator", access.Operates, false, access.Admin}, {"nobody", access.Nobody, false, access.None},
			} {
				d, err := w.Repository(t.Context(), x.p, "acme/app")
				if errors.Is(err, access.ErrParked) != x.refused || !x.refused && (err != nil || d.Level != x.level) || x.refused && d.Level != access.None {
					t.Errorf("%s: %d, %v", x.who, d.Level, err)
				}
				v, err := w.Visible(t.Context(), x.p)
				sees := slices.Contains(v.Repositories, w.repo) || slices.Contains(v.Namespaces, w.acme)
				if whole := x.who == "owner" && name == "repository"; x.p.ID != "" && sees == (x.refused && !whole) {
					t.Errorf("%s sees %+v, %v", x.who, v, err)
				}
			}
			if _, err := w.Live(t.Context(), w.user); errors.Is(err, access.ErrParked) != c.live || !c.live && err != nil {
				t.Errorf("live: %v", err)
			}
			level, _, err := w.Namespace(t.Context(), w.owner, "acme")
			if refused := c.owner && name != "repository"; errors.Is(err, access.ErrParked) != refused || !refused && level != access.Admin {
				t.Errorf("namespace: %d, %v", level, err)
			}
		})
	}
}
