// Package people has the pages of accounts: one's own account, users, organizations with
// their members, teams and robot accounts, and namespaces.
package people

import (
	"embed"
	"net/url"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

type forms = map[string]frame.Do

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const user, ns = "/users/{user}", "/n/{namespace}"
	page := func(pattern string, need access.Permission, cost budget.Cost, view, section string, show func(*frame.Visit) (any, error), do forms) frame.Page {
		return frame.Page{Pattern: pattern, Permission: need, Cost: cost, View: "views/" + view + ".html", Section: section, Show: show, Do: do}
	}
	account := func(pattern string, need access.Permission, view string, show func(*frame.Visit) (any, error), do forms) frame.Page {
		return page(pattern, need, budget.List, view, "account", show, do)
	}
	past := func(p frame.Page) frame.Page {
		p.Past = true
		return p
	}
	namespace := func(pattern string, need access.Permission, view string, show func(*frame.Visit) (any, error), do forms) frame.Page {
		return page(ns+pattern, need, budget.List, view, "catalog", show, do)
	}
	site.Add(views,
		account("/account", access.SignedIn, "account", showAccount, forms{"email": setEmail, "password": setPassword,
			"accept": acceptInvitation, "decline": declineInvitation, "end": endSession, "end-others": endOtherSessions}),
		account("/account/second-factor", access.SignedIn, "second_factor", showSecondFactor, forms{"on": turnOnSecondFactor, "renew": renewRecoveryCodes, "off": turnOffSecondFactor}),
		account(user+"/tokens", access.SelfOrHubAdmin, "tokens", showTokens, forms{"create": createToken}),
		account(user+"/tokens/{token}", access.SelfOrHubAdmin, "token", showToken, forms{"revoke": revokeToken}),
		account(user+"/erase", access.SelfOrHubAdmin, "erase", showUser, forms{"erase": eraseUser}),
		account("/orgs", access.SignedIn, "organizations", showOrganizations, forms{"create": createOrganization}),
		page("/orgs/{namespace}", access.Anyone, budget.Light, "organizations", "account", leadToNamespace, nil),
		page("/users", access.HubAdmin, budget.List, "users", "system", showUsers, forms{"create": createUser}),
		page(user, access.Anyone, budget.Read, "user", "system", showUserPage, forms{"standing": setStanding, "password": resetPassword, "second-factor": dropSecondFactor}),
		page(ns, access.Anyone, budget.Search, "namespace", "catalog", showNamespace, nil),
		past(namespace("/-/members", access.NamespaceMember, "members", showMembers, forms{"add": setMember, "withdraw": withdrawInvitation})),
		namespace("/-/members/{member}", access.NamespaceMember, "member", showMember, forms{"role": changeMember, "remove": removeMember}),
		past(namespace("/-/teams", access.NamespaceMember, "teams", showTeams, forms{"create": createTeam})),
		past(namespace("/-/teams/{team}", access.NamespaceMember, "team", showTeam, forms{"add": addToTeam, "remove": removeFromTeam})),
		namespace("/-/teams/{team}/delete", access.NamespaceAdmin, "team_delete", showTeam, forms{"delete": deleteTeam}),
		namespace("/-/robots", access.NamespaceAdmin, "robots", showRobots, forms{"create": createRobot}),
		namespace("/-/robots/{robot}", access.NamespaceAdmin, "robot", showRobot, forms{"create": createRobotToken}),
		namespace("/-/robots/{robot}/delete", access.NamespaceAdmin, "robot_delete", showRobot, forms{"delete": deleteRobot}),
		namespace("/-/robots/{robot}/tokens/{token}", access.NamespaceAdmin, "token", showRobotToken, forms{"revoke": revokeRobotToken}),
		past(namespace("/-/access", access.NamespaceAdmin, "grants", showGrants, forms{"give": giveGrant, "withdraw": withdrawGrant})),
		page(ns+"/-/access/changes", access.NamespaceAdmin, budget.Heavy, "changes", "catalog", showChanges, nil),
		page(ns+"/-/usage", access.NamespaceMember, budget.Heavy, "usage", "catalog", showUsage, forms{"quota": setQuota}),
		page(ns+"/-/trash", access.NamespaceAdmin, budget.Search, "trash", "catalog", showTrash, forms{"restore": restoreRepository}),
	)
}

// paged is the page of a list of names that the address says, by ?q= and ?cursor=.
func paged[T any](v *frame.Visit, components ...string) (apitypes.List[T], error) {
	q := v.InPast(v.Paged())
	if text := v.Query("q"); text != "" {
		q.Set("q", text)
	}
	return frame.Get[apitypes.List[T]](v, frame.Path(components...), q)
}

// maxLookUp bounds the pages of a list that are looked through for one name.
const maxLookUp = 20

// named finds the thing of that name in a list of names.
func named[T any](v *frame.Visit, name string, of func(T) string, components ...string) (found T, err error) {
	q := v.InPast(url.Values{"limit": {"100"}, "q": {name}})
	for range maxLookUp {
		list, err := frame.Get[apitypes.List[T]](v, frame.Path(components...), q)
		if err != nil {
			return found, err
		}
		for _, one := range list.Items {
			if of(one) == name {
				return one, nil
			}
		}
		next, err := url.Parse(list.Next)
		if err != nil || list.Next == "" {
			break
		}
		q.Set("cursor", next.Query().Get("cursor"))
	}
	return found, notFound()
}

// whole is a list of the API that has no pages.
func whole[T any](v *frame.Visit, components ...string) ([]T, error) {
	list, err := frame.Get[apitypes.List[T]](v, frame.Path(components...), nil)
	return list.Items, err
}
