package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hubledger/services/web"
	"hubledger/services/web/webtest"
)

// asked says, apart from the code, what every page asks of who looks at it.
var asked = map[string]string{
	"anyone":            `/ | /catalog | /find | /keys | /sign-in | /sign-in/code | /events`,
	"account":           `/sign-out | /account | /account/second-factor | /builds | /apps | /sources | /orgs | /new`,
	"self or hub admin": `/users/{user}/tokens | /users/{user}/tokens/{token} | /users/{user}/erase`,
	"hub admin":         `/users | /system | /system/projections/{projection} | /builders | /builders/{builder}/revoke | /readers | /readers/{reader}/revoke | /hosts | /hosts/{host} | /hosts/{host}/revoke`,
	"read":              `REPO | REPO/-/activity | REPO/-/tags | REPO/-/tags/{tag} | REPO/-/tags/{tag}/history | REPO/-/trash | REPO/-/compare | REPO/-/untagged | REPO/-/images/{digest} | REPO/-/layers/{digest}`,
	"write":             `REPO/-/tags/{tag}/rollback | REPO/-/storage | REPO/-/builds | REPO/-/builds/new | REPO/-/pushes | REPO/-/rules`,
	"delete":            `REPO/-/delete-tags`,
	"admin":             `REPO/-/rules/end | REPO/-/triggers | REPO/-/triggers/{trigger}/delete | REPO/-/build-secrets | REPO/-/build-secrets/{secret}/delete | REPO/-/settings | REPO/-/visibility | REPO/-/delete | REPO/-/access`,
	"a build":           `/builds/{build} | /builds/{build}/cancel`,
	"member": `NS/apps | NS/hosts | NS/sources | NS/-/members | NS/-/teams | NS/-/teams/{team} | NS/-/usage | SOURCE | SOURCE/-/deliveries | SOURCE/-/deliveries/{seq}
		| APP | APP/-/releases | APP/-/releases/{release} | APP/-/deployments | APP/-/deployments/{deployment} | APP/{environment} | APP/{environment}/policy`,
	"pushes to all": `APP/{environment}/deploy | APP/{environment}/promote | APP/{environment}/back | APP/{environment}/exclude | APP/{environment}/gates/{gate} | APP/{environment}/containers | APP/{environment}/containers/{container}`,
	"owner": `NS/sources/link | SOURCE/-/settings | SOURCE/-/unlink | NS/-/teams/{team}/delete | NS/-/robots | NS/-/robots/{robot} | NS/-/robots/{robot}/delete | NS/-/robots/{robot}/tokens/{token} | NS/-/access | NS/-/access/changes | NS/-/trash
		| NS/apps/new | APP/-/settings | APP/-/delete | APP/{environment}/delete | APP/{environment}/policy/new-gate | APP/{environment}/policy/gates/{gate} | APP/{environment}/hosts | APP/{environment}/config | APP/{environment}/config/{key}/remove`,
	"namespace":             `NS`,
	"an event":              `/events/{event}`,
	"owner, or that member": `NS/-/members/{member}`,
	"leads on":              `/users/{user}`,
}

var shortened = strings.NewReplacer("REPO", "/r/{namespace}/{name...}", "NS", "/n/{namespace}", "SOURCE", "/sources/{namespace}/{name...}", "APP", "/apps/{namespace}/{app}")

// levelOf is what people may do with a repository of the town: 0 nothing, 1 read, 2 write, 3
// delete, 4 admin.
func levelOf(who, path string) int {
	switch {
	case who == "admin":
		return 4
	case strings.HasPrefix(path, "/r/admin/app") && who == "alice":
		return 3
	case strings.HasPrefix(path, "/r/admin/open"), strings.HasPrefix(path, "/r/acme/") && who == "alice":
		return 1
	}
	return 0
}

// standing is what people are in the namespace of a path: 0 nobody, 1 a member, 2 an owner.
func standing(who, path string) int {
	_, rest, _ := strings.Cut(path[1:], "/")
	ns, _, _ := strings.Cut(rest, "/")
	switch {
	case who == "admin", who == ns:
		return 2
	case who == "alice" && ns == "acme":
		return 1
	}
	return 0
}

// allowed is what a visitor of a page must be answered.
func allowed(need, who, path string) int {
	refuse := func(ok bool, otherwise int) int {
		switch {
		case ok:
			return http.StatusOK
		case who == "nobody":
			return http.StatusSeeOther // to sign in
		}
		return otherwise
	}
	path, _, _ = strings.Cut(path, "?")
	needs := map[string]int{"read": 1, "write": 2, "delete": 3, "admin": 4}[need]
	switch need {
	case "anyone":
		return http.StatusOK
	case "account":
		return refuse(who != "nobody", 0)
	case "hub admin":
		return refuse(who == "admin", http.StatusForbidden)
	case "self or hub admin":
		return refuse(who == "admin" || strings.HasPrefix(path, "/users/"+who+"/"), http.StatusForbidden)
	case "a build": // those of the tour are of admin/app
		return refuse(levelOf(who, "/r/admin/app") >= 2, http.StatusNotFound)
	case "an event": // that of the tour is one of admin/app
		if levelOf(who, "/r/admin/app") > 0 {
			return http.StatusOK
		}
		return http.StatusNotFound
	case "namespace": // admin has a public repository
		if standing(who, path) > 0 || path == "/n/admin" {
			return http.StatusOK
		}
		return http.StatusNotFound
	case "owner, or that member":
		return allowed("member", who, path)
	case "member", "pushes to all", "owner":
		least := map[string]int{"member": 1, "pushes to all": 2, "owner": 2}[need]
		if has := standing(who, path); has > 0 || who == "nobody" {
			return refuse(has >= least, http.StatusForbidden)
		}
		return http.StatusNotFound
	}
	if has := levelOf(who, path); has > 0 {
		return refuse(has >= needs, http.StatusForbidden)
	}
	return http.StatusNotFound
}

// Every page of the tour is asked for by everybody, and each of its forms is sent by those who
// may not see it, of which nothing must come.
func TestWhoSeesEveryPage(t *testing.T) {
	needs := map[string]string{}
	for need, list := range asked {
		for pattern := range strings.SplitSeq(list, "|") {
			needs[shortened.Replace(strings.TrimSpace(pattern))] = need
		}
	}
	forms := map[string]bool{}
	for _, rt := range web.New(web.Config{}).Routes {
		if rt.Method == http.MethodPost {
			forms[rt.Pattern] = true
		}
	}
	town := webtest.NewTown(t)
	town.AddGit()
	town.AddApps()
	town.AddPast()
	town.AddSecondFactor()
	seen := map[string]bool{}
	for _, s := range tour(town) {
		need, ok := needs[s.pattern]
		if !ok {
			t.Errorf("%s is not in the table", s.pattern)
			continue
		}
		if seen[s.path] || need == "leads on" || s.as == "halfway" {
			continue
		}
		seen[s.path] = true
		for _, who := range []string{"nobody", "bob", "alice", "admin"} {
			b, want := browserOf(town, who), allowed(need, who, s.path)
			a := b.Get(s.path)
			if s.path == "/sources" && a.Location == "/n/"+who+"/sources" {
				continue // who has one namespace is led on to it
			}
			if a.Status != want {
				t.Errorf("%s asks for %s, which needs %s: %d, wanted %d", who, s.path, need, a.Status, want)
			}
			if want == http.StatusSeeOther && !strings.HasPrefix(a.Location, "/sign-in?next=") {
				t.Errorf("%s asks for %s and is led to %s", who, s.path, a.Location)
			}
			if !forms[s.pattern] || want == http.StatusOK {
				continue
			}
			before := town.LastSeq()
			if a := b.Post(s.path, "do", "save"); a.Status < 400 && !strings.HasPrefix(a.Location, "/sign-in") {
				t.Errorf("%s sends a form to %s: %d to %s", who, s.path, a.Status, a.Location)
			}
			if now := town.LastSeq(); now != before {
				t.Errorf("a form that %s sends to %s leads to %d events", who, s.path, now-before)
			}
		}
	}
}
