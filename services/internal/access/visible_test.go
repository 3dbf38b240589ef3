package access_test

import (
	"reflect"
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
)

func TestVisible(t *testing.T) {
	onEach(t, func(t *testing.T, h *hub) {
		w, ctx := newWorld(h), t.Context()
		legacy, library := newID(t), newID(t)
		h.append(events.NamespaceCreated{Namespace: legacy, Name: "legacy"})
		h.append(events.NamespaceCreated{Namespace: library, Name: "library"})
		wide, member, disabled := h.user("wide"), h.user("member"), h.user("disabled")
		h.grant(w.acme, "", "user", wide.ID, events.RoleRead)
		h.join(w.acme, w.acme, member, events.RoleMember)
		h.wait()
		h.done(account.SetStanding(ctx, h.log, by, h.read, disabled.ID, false, true))
		h.wait()
		owner := w.owner
		owner.Admin = true
		all := access.Visible{All: true, Public: true}

		limited := w.user
		limited.Limit = &access.Limit{Level: access.Read, Repositories: []string{"acme/app"}}
		admin := owner
		admin.Limit = &access.Limit{Level: access.Admin, Repositories: []string{"x/y"}}
		useless := w.user
		useless.Limit = &access.Limit{}
		for _, c := range []struct {
			who  string
			p    access.Principal
			want access.Visible
		}{
			{"anonymous", access.Nobody, access.Visible{Public: true}},
			{"operator", access.Operates, all},
			{"administrator", owner, access.Visible{All: true, Public: true, Namespaces: []string{owner.ID, legacy, w.acme}}},
			{"owner", w.owner, access.Visible{Public: true, Namespaces: []string{owner.ID, legacy, w.acme}}},
			{"user", w.user, access.Visible{Public: true, Namespaces: []string{w.user.ID}, Repositories: []string{w.repo}}},
			{"grant on the namespace", wide, access.Visible{Public: true, Namespaces: []string{wide.ID, w.acme}}},
			{"member", member, access.Visible{Public: true, Namespaces: []string{member.ID}}},
			{"robot", w.robot, access.Visible{Public: true, Repositories: []string{w.repo}}},
			{"disabled", disabled, access.Visible{}},
			{"unknown", access.Principal{Kind: access.User, ID: newID(t), Admin: true}, access.Visible{}},
			{"limited", limited, access.Visible{Public: true, Namespaces: []string{w.user.ID}, Repositories: []string{w.repo}, Only: []string{"acme/app"}}},
			{"limited administrator", admin, access.Visible{All: true, Public: true, Namespaces: []string{owner.ID, legacy, w.acme}, Only: []string{"x/y"}}},
			{"credential for nothing", useless, access.Visible{}},
		} {
			for _, how := range []string{"asked", "remembered"} {
				got, err := h.Visible(ctx, c.p)
				got.Namespaces, c.want.Namespaces = sorted(got.Namespaces), sorted(c.want.Namespaces)
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s (%s): %+v, %v; want %+v", c.who, how, got, err, c.want)
				}
			}
		}
		h.append(events.RepositoryDeleted{Namespace: w.acme, Repository: w.repo, Name: "acme/app"})
		h.wait()
		if v, err := h.Visible(ctx, w.robot); err != nil || len(v.Repositories) > 0 {
			t.Errorf("after the repository's deletion: %+v, %v", v, err)
		}
	})
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
