package api_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
)

// Members, teams, robot accounts and roles come in pages, by name, and are found by a part
// of it.
func TestNamesInPages(t *testing.T) {
	k, ctx := start(t), context.Background()
	owner := k.user("owner")
	acme := k.made(account.CreateOrganization(ctx, k.Log(), tester, "acme", owner))
	devs := k.made(account.CreateTeam(ctx, k.Log(), tester, acme, "devs", ""))
	repo := k.repository("acme/app", events.Private)
	for n := range 7 {
		user := k.user(fmt.Sprintf("member%d", n))
		k.Done(account.GrantMembership(ctx, k.Log(), tester, acme, acme, user, events.RoleMember))
		k.Done(account.GrantMembership(ctx, k.Log(), tester, acme, devs, user, events.RoleMember))
		team := k.made(account.CreateTeam(ctx, k.Log(), tester, acme, fmt.Sprintf("team%d", n), ""))
		robot := k.made(account.CreateRobot(ctx, k.Log(), tester, acme, fmt.Sprintf("robot%d", n), ""))
		for kind, id := range map[string]string{events.GranteeUser: user, events.GranteeTeam: team, events.GranteeRobot: robot} {
			for _, on := range []string{repo.Repository, ""} {
				k.Done(account.GiveGrant(ctx, k.Log(), tester, events.GrantGiven{Namespace: acme, Repository: on, Grantee: id, GranteeKind: kind, Role: events.RoleRead}))
			}
		}
	}
	k.CatchUp()
	type thing struct{ Kind, Name string }
	for path, c := range map[string]struct {
		total int
		q     string // finds one
		first string
	}{
		"/orgs/acme/members":            {8, "owne", "member0"},
		"/orgs/acme/teams/devs/members": {7, "BER3", "member0"},
		"/orgs/acme/teams":              {8, "dev", "devs"},
		"/orgs/acme/robots":             {7, "robot4", "acme+robot0"},
		"/repositories/acme/app/grants": {21, "team5", "acme+robot0"},
		"/namespaces/acme/grants":       {21, "user member6", "acme+robot0"},
	} {
		seen, at := map[thing]bool{}, "/api/v1"+path+"?limit=3"
		for pages := 0; at != ""; pages++ {
			var page apitypes.List[thing]
			k.do("owner", "GET", at, nil).want(200).into(&page)
			if page.Total != c.total || len(page.Items) == 0 || len(page.Items) > 3 || pages > 10 {
				t.Fatalf("%s: %+v", at, page)
			}
			if pages == 0 && page.Items[0].Name != c.first {
				t.Errorf("%s begins with %s, wanted %s", path, page.Items[0].Name, c.first)
			}
			for _, v := range page.Items {
				if seen[v] {
					t.Errorf("%s has %v twice", path, v)
				}
				seen[v] = true
			}
			at = page.Next
		}
		if len(seen) != c.total {
			t.Errorf("%s: %d on all pages, wanted %d", path, len(seen), c.total)
		}
		var found apitypes.List[thing]
		k.do("owner", "GET", "/api/v1"+path+"?q="+url.QueryEscape(c.q), nil).want(200).into(&found)
		if len(found.Items) != 1 || found.Total != 1 {
			t.Errorf("%s with %s: %+v", path, c.q, found)
		}
		k.do("owner", "GET", "/api/v1"+path+"?limit=101", nil).want(422)
		k.do("owner", "GET", "/api/v1"+path+"?cursor=x", nil).want(422)
	}
}
