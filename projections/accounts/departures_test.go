package accounts_test

import (
	"slices"
	"testing"

	"hubledger/events"
	"hubledger/projections/accounts"
)

// Who leaves an organization and comes back has none of their teams' rights.
func TestTeamsEndWithTheOrganization(t *testing.T) {
	rejoin := []events.Payload{
		events.MembershipRevoked{Organization: id(acme), Group: id(acme), User: id(bob)},
		events.MembershipGranted{Organization: id(acme), Group: id(acme), User: id(bob), Role: events.RoleMember},
	}
	again := events.MembershipGranted{Organization: id(acme), Group: id(devs), User: id(bob), Role: events.RoleMember}
	for name, c := range map[string]struct {
		list []events.Payload
		want bool
	}{
		"never left":            {story(), true},
		"came back":             {append(story(), rejoin...), false},
		"came back to the team": {append(append(story(), rejoin...), again), true},
		"came back twice":       {append(append(append(story(), rejoin...), again), rejoin...), false},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, c.list, func(t *testing.T, r accounts.Reader) {
				roles, err := r.Roles(t.Context(), id(bob), id(acme), id(app))
				check(t, err)
				team := slices.ContainsFunc(roles, func(r accounts.Role) bool { return r.Team == "devs" && r.Role == "write" })
				grants, err := r.GrantsTo(t.Context(), id(bob))
				check(t, err)
				seen := slices.ContainsFunc(grants, func(g accounts.Grant) bool { return g.GranteeName == "devs" })
				if team != c.want || seen != c.want {
					t.Errorf("role %v, grant %v, want %v: %+v", team, seen, c.want, roles)
				}
			})
		})
	}
}
