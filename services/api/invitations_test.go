package api_test

import (
	"fmt"
	"testing"

	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
)

// Nobody becomes an owner without accepting it, everybody may leave, and an
// organization without an owner is shown as such and is the administrators'.
func TestOwnersAccept(t *testing.T) {
	k := start(t)
	for _, name := range []string{"mallory", "victim"} {
		k.user(name)
	}
	const members, mine = "/api/v1/orgs/trap/members/", "/api/v1/user/invitations"
	change := func(as, method, path string, body any) (v apitypes.MemberChange) {
		t.Helper()
		k.do(as, method, path, body).want(200).into(&v)
		return v
	}
	invitations := func(as, path string) string {
		t.Helper()
		var list struct{ Items []apitypes.Invitation }
		k.do(as, "GET", path, nil).want(200).into(&list)
		text := ""
		for _, v := range list.Items {
			text += fmt.Sprint(v.Organization, ":", v.User, ":", v.Role, ":", v.Inviter, " ")
		}
		return text
	}
	k.do("mallory", "POST", "/api/v1/orgs", object{"name": "trap"}).want(201)
	if v := change("mallory", "PUT", members+"victim", object{"role": "owner"}); !v.Invited || v.Ownerless {
		t.Errorf("%+v", v)
	}
	k.do("victim", "GET", "/api/v1/orgs/trap", nil).want(404)
	if got := invitations("victim", mine); got != "trap:victim:owner:mallory " {
		t.Errorf("invitations of the victim: %s", got)
	}
	if got := invitations("mallory", "/api/v1/orgs/trap/invitations"); got != "trap:victim:owner:mallory " {
		t.Errorf("invitations to the organization: %s", got)
	}
	// She leaves, and it is nobody's: not the victim's.
	if v := change("mallory", "DELETE", members+"mallory", nil); !v.Ownerless {
		t.Errorf("%+v", v)
	}
	var orgs struct{ Items []apitypes.Organization }
	k.do("operator", "GET", "/api/v1/orgs", nil).want(200).into(&orgs)
	if len(orgs.Items) != 1 || !orgs.Items[0].Ownerless {
		t.Errorf("organizations: %+v", orgs.Items)
	}
	k.do("victim", "POST", "/api/v1/users/victim/tokens", object{"name": "x", "level": "read"}).want(201)
	k.do("victim", "DELETE", mine+"/trap", nil).want(200)
	k.do("victim", "POST", mine+"/trap/acceptance", nil).want(404)
	k.do("victim", "POST", mine+"/nowhere/acceptance", nil).want(404)

	// The operator names an owner, who invites her back; she accepts, and steps down again.
	change("operator", "PUT", members+"victim", object{"role": "owner"})
	if v := change("victim", "PUT", members+"mallory", object{"role": "member"}); !v.Invited {
		t.Errorf("one who has left is taken in without being asked: %+v", v)
	}
	k.do("mallory", "POST", mine+"/trap/acceptance", nil).want(200)
	k.do("mallory", "GET", "/api/v1/orgs/trap", nil).want(200)
	if v := change("victim", "PUT", members+"victim", object{"role": "member"}); !v.Ownerless {
		t.Errorf("%+v", v)
	}
	k.do("victim", "PUT", members+"mallory", object{"role": "owner"}).want(403)
	k.do("mallory", "DELETE", members+"victim", nil).want(403)
	change("victim", "DELETE", members+"victim", nil)
	k.do("operator", "POST", "/api/v1/users/mallory/erasure", object{"confirm": "mallory"}).want(200)
}

// The limit counts who made an organization: giving it away frees no place, and
// being given many takes none.
func TestOrganizationsCountForWhoMadeThem(t *testing.T) {
	k := start(t)
	k.user("maker")
	k.user("heir")
	maker, heir := tester, k.Account("heir").ID
	maker.Actor = "maker"
	for n := range 50 {
		k.made(account.CreateOrganization(t.Context(), k.Log(), maker, fmt.Sprint("org", n), heir))
	}
	k.do("maker", "POST", "/api/v1/orgs", object{"name": "one-more"}).want(403)
	k.do("heir", "POST", "/api/v1/orgs", object{"name": "of-their-own"}).want(201)
	k.do("operator", "POST", "/api/v1/orgs", object{"name": "by-the-operator", "owner": "maker"}).want(201)
	var page struct {
		Items []apitypes.Organization
		Next  string
	}
	seen := 0
	for next := "/api/v1/orgs?limit=20"; next != ""; next = page.Next {
		page.Next = ""
		k.do("heir", "GET", next, nil).want(200).into(&page)
		seen += len(page.Items)
	}
	names := struct{ Items []apitypes.Namespace }{}
	k.do("heir", "GET", "/api/v1/namespaces?limit=100", nil).want(200).into(&names)
	if seen != 51 || len(names.Items) != 52 {
		t.Errorf("%d organizations and %d namespaces", seen, len(names.Items))
	}
}
