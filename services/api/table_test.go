package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/api"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
	"hubledger/services/registry/registrytest"
)

// needs says, apart from the code, what every endpoint asks for. A route that
// is missing here fails the test, and so does one that is not there any more.
var needs = map[string]string{
	"open": `
		GET /api/v1/openapi.json | GET /api/v1/openapi.yaml | GET /api/v1/asyncapi.json | GET /v1/_ping | GET /.well-known/hubledger/provenance.pub | GET /api/v1/provenance-key | GET /api/v1/checkpoint | GET /checkpoint | GET /tile/{tile...} | GET /.well-known/hubledger/checkpoint.vkey
		POST /v2/users/login | POST /v2/auth/token | POST /api/v1/machines/enroll | POST /api/build/v1/source/{source}/trigger/{secret}/call`,
	"anyone": `
		GET /api/v1/search | GET /api/v1/repositories | GET /api/v1/events | GET /api/v1/events/live | GET /api/v1/events/export | GET /api/v1/events/{event} | GET /api/v1/events/{event}/proof | GET /api/v1/why | GET /api/build/v1/source | GET /v1/search | GET /v2/search/repositories
		GET /v2/repositories/{namespace} | GET /v2/namespaces/{namespace}/repositories | GET /v2/users/{user} | GET /v2/orgs/{namespace}`,
	"account": `
		GET /api/v1/user | GET /api/v1/users/{user} | GET /api/v1/orgs | GET /api/v1/namespaces | GET /api/v1/starred | GET /api/v1/hub | GET /v2/user | GET /api/v1/builds | GET /api/v1/builds/{build} | GET /api/v1/apps | GET /api/v1/deployments | GET /api/v1/running`,
	"account that writes": `
		POST /api/v1/compose/check |
		POST /api/v1/repositories | POST /v2/repositories | POST /v2/namespaces/{namespace}/repositories`,
	"whole account": `
		POST /api/v1/orgs | GET /api/v1/user/invitations | POST /api/v1/user/invitations/{organization}/acceptance | DELETE /api/v1/user/invitations/{organization}`,
	"self": `
		POST /api/v1/users/{user}/tokens | PUT /api/v1/users/{user}/second-factor | POST /api/v1/users/{user}/second-factor/recovery-codes`,
	"self or hub admin": `
		POST /api/v1/users/{user}/erasure | PUT /api/v1/users/{user}/password | GET /api/v1/users/{user}/email | PUT /api/v1/users/{user}/email
		GET /api/v1/users/{user}/second-factor | POST /api/v1/users/{user}/second-factor/removal
		DELETE /api/v1/users/{user}/email | GET /api/v1/users/{user}/tokens | DELETE /api/v1/users/{user}/tokens/{token}`,
	"hub admin": `
		GET /api/v1/users | POST /api/v1/users | PATCH /api/v1/users/{user} | PUT /api/v1/namespaces/{namespace}/quota
		GET /api/v1/deleted | GET /api/v1/builders | POST /api/v1/builders | DELETE /api/v1/builders/{builder} |
		GET /api/v1/nats-users | POST /api/v1/nats-users | DELETE /api/v1/nats-users/{user}
		GET /api/v1/hosts | GET /api/v1/hosts/{host}/containers | POST /api/v1/hosts | DELETE /api/v1/hosts/{host}
		GET /api/v1/system | POST /api/v1/system/projections/{projection}/switch | POST /api/v1/system/projections/{projection}/compare | POST /api/v1/system/dead-letters/{manager}/retry`,
	"member": `
		GET /api/v1/apps/{namespace} | GET APP | GET APP/releases | GET APP/releases/{release} | GET APP/releases/{release}/diff
		GET APP/environments/{environment} | GET APP/environments/{environment}/hosts | GET APP/environments/{environment}/policy | GET APP/environments/{environment}/running | GET APP/deployments | GET APP/deployments/{deployment}
		GET /api/v1/orgs/{namespace} | GET /api/v1/orgs/{namespace}/members | GET /api/v1/orgs/{namespace}/teams | GET /api/v1/orgs/{namespace}/teams/{team}/members
		GET /api/v1/namespaces/{namespace} | GET /api/v1/namespaces/{namespace}/quota | GET /api/v1/namespaces/{namespace}/usage
		GET /api/v1/namespaces/{namespace}/sources | GET /api/v1/namespaces/{namespace}/hosts | GET SOURCE | GET SOURCE/refs | GET SOURCE/deliveries | GET SOURCE/deliveries/{seq} | GET SOURCE/deliveries/{seq}/body`,
	"member, by a credential that writes": `
		POST SOURCE/sweep | POST SOURCE/deliveries/{seq}/redeliver`,
	"owner, or that member": `
		DELETE /api/v1/orgs/{namespace}/members/{member} | DELETE /api/v1/orgs/{namespace}/teams/{team}/members/{member}`,
	"pushes to all": `
		POST APP/releases | GET APP/releases/next | POST APP/environments/{environment}/deployments | POST APP/deployments/{deployment}/promote | POST APP/deployments/{deployment}/rollback | POST APP/deployments/{deployment}/cancel
		POST APP/deployments/{deployment}/exclude-host | POST APP/deployments/{deployment}/gates/{gate}
		GET APP/environments/{environment}/containers | GET APP/environments/{environment}/containers/{container} | GET APP/environments/{environment}/containers/{container}/processes
		GET APP/environments/{environment}/containers/{container}/log | GET APP/environments/{environment}/containers/{container}/log/live`,
	"owner": `
		POST /api/v1/apps/{namespace} | PATCH APP | DELETE APP | PUT APP/environments/{environment} | DELETE APP/environments/{environment} | GET APP/environments/{environment}/config
		PUT APP/environments/{environment}/hosts | PUT APP/environments/{environment}/policy | PUT APP/environments/{environment}/gates/{gate}/hook | DELETE APP/environments/{environment}/gates/{gate}/hook
		PUT APP/environments/{environment}/config/{key} | DELETE APP/environments/{environment}/config/{key} | PUT APP/environments/{environment}/secrets/{key} | DELETE APP/environments/{environment}/secrets/{key}
		PUT /api/v1/orgs/{namespace}/members/{member} | GET /api/v1/orgs/{namespace}/invitations | DELETE /api/v1/orgs/{namespace}/invitations/{member}
		POST /api/v1/orgs/{namespace}/teams | DELETE /api/v1/orgs/{namespace}/teams/{team}
		PUT /api/v1/orgs/{namespace}/teams/{team}/members/{member}
		GET /api/v1/orgs/{namespace}/robots | POST /api/v1/orgs/{namespace}/robots | DELETE /api/v1/orgs/{namespace}/robots/{robot}
		GET /api/v1/orgs/{namespace}/robots/{robot}/tokens | POST /api/v1/orgs/{namespace}/robots/{robot}/tokens
		DELETE /api/v1/orgs/{namespace}/robots/{robot}/tokens/{token}
		GET /api/v1/namespaces/{namespace}/grants | GET /api/v1/namespaces/{namespace}/access-changes | PUT /api/v1/namespaces/{namespace}/grants/{kind}/{grantee} | DELETE /api/v1/namespaces/{namespace}/grants/{kind}/{grantee}
		GET /api/v1/namespaces/{namespace}/deleted | POST /api/v1/namespaces/{namespace}/deleted/{id}/restore
		POST /api/v1/namespaces/{namespace}/sources | PATCH SOURCE | DELETE SOURCE`,
	"read": `
		GET REPO | GET REPO/running | GET REPO/badge.svg | GET REPO/readme | GET REPO/activity | GET REPO/policy | GET REPO/cleanup | GET REPO/tags | GET REPO/tags/{tag} | GET REPO/tags/{tag}/history | GET REPO/trash | GET REPO/manifests/{digest} | GET REPO/untagged
		GET REPO/layers/{digest}/files | GET REPO/manifests/{digest}/file-changes
		GET OLD | GET OLD/tags | GET OLD/tags/{tag} | GET NEW | GET NEW/tags | GET NEW/tags/{tag}`,
	"read, by a credential that writes": `
		PUT REPO/star | DELETE REPO/star`,
	"write": `
		POST REPO/tags/{tag}/rollback | GET REPO/usage | GET REPO/usage/images | GET REPO/rules | GET REPO/pushes | GET REPO/waiting-pushes | POST REPO/rules/simulate
		GET REPO/builds | POST REPO/builds | GET REPO/builds/{build} | GET REPO/builds/{build}/log | GET REPO/builds/{build}/log/raw | GET REPO/builds/{build}/log/lines | GET REPO/builds/{build}/log/live | POST REPO/builds/{build}/cancel | POST REPO/builds/{build}/retry`,
	"delete": `
		POST REPO/deletion-preview | DELETE REPO/manifests/{digest} | DELETE REPO/tags/{tag} | POST REPO/tags/{tag}/restore | POST REPO/manifests/{digest}/restore | DELETE OLD/tags/{tag} | DELETE NEW/tags/{tag}`,
	"admin": `
		PATCH REPO | DELETE REPO | GET REPO/grants | GET REPO/access | GET REPO/access/{account} | POST REPO/readme/preview | PUT REPO/grants/{kind}/{grantee} | DELETE REPO/grants/{kind}/{grantee}
		PUT REPO/policy | PUT REPO/rules | GET REPO/build-secrets | PUT REPO/build-secrets/{secret} | DELETE REPO/build-secrets/{secret} | GET REPO/triggers | POST REPO/triggers | DELETE REPO/triggers/{trigger} | PUT REPO/cleanup | POST REPO/cleanup/preview | POST REPO/cleanup/run
		PATCH OLD | DELETE OLD | POST OLD/privacy | PATCH NEW | DELETE NEW | POST NEW/privacy`,
}

var shorthand = strings.NewReplacer("REPO", "/api/v1/repositories/{namespace}/{name...}", "APP", "/api/v1/apps/{namespace}/{app}", "SOURCE", "/api/v1/sources/{namespace}/{name...}",
	"OLD", "/v2/repositories/{namespace}/{name...}", "NEW", "/v2/namespaces/{namespace}/repositories/{name...}")

// A who is somebody who makes requests, and what they may do.
type who struct {
	name              string
	levels            [2]int // on the public and the private repository: 0 none, 1 read, 2 write, 3 delete, 4 admin
	organization      int    // 0 nothing, 1 member, 2 owner
	hubAdmin, limited bool
	reading           bool // by a credential for that
	nobody, operator  bool
}

var principals = []who{
	{name: "", levels: [2]int{1, 0}, nobody: true},
	{name: "stranger", levels: [2]int{1, 0}},
	{name: "member", levels: [2]int{1, 0}, organization: 1},
	{name: "member, reading", levels: [2]int{1, 0}, organization: 1, limited: true, reading: true},
	{name: "member, deleting", levels: [2]int{1, 0}, organization: 1, limited: true},
	{name: "reader", levels: [2]int{1, 1}},
	{name: "writer", levels: [2]int{3, 3}},
	{name: "manager", levels: [2]int{4, 4}},
	{name: "acme+ci", levels: [2]int{3, 3}},
	{name: "owner", levels: [2]int{4, 4}, organization: 2},
	{name: "hubadmin", levels: [2]int{4, 4}, organization: 2, hubAdmin: true},
	{name: "operator", levels: [2]int{4, 4}, organization: 2, hubAdmin: true, operator: true},
	{name: "owner, reading", levels: [2]int{1, 1}, organization: 1, limited: true, reading: true},
	{name: "owner, pushing", levels: [2]int{2, 2}, organization: 1, limited: true},
	{name: "owner, public only", levels: [2]int{4, 0}, limited: true},
	{name: "owner, reading one", levels: [2]int{0, 1}, limited: true, reading: true},
	{name: "hubadmin, public only", levels: [2]int{4, 0}, limited: true},
	{name: "owner, registry token for one", levels: [2]int{1, 0}, limited: true, reading: true},
	{name: "hubadmin, reading", levels: [2]int{1, 1}, organization: 1, limited: true, reading: true},
	// Every other kind of credential, of the same accounts.
	{name: "owner, by password", levels: [2]int{4, 4}, organization: 2},
	{name: "owner, session", levels: [2]int{4, 4}, organization: 2},
	{name: "owner, session of a token", levels: [2]int{4, 4}, organization: 2},
	{name: "owner, docker login", levels: [2]int{3, 3}, organization: 1, limited: true},
	{name: "owner, docker login as a password", levels: [2]int{3, 3}, organization: 1, limited: true},
	{name: "owner, session of a docker login", levels: [2]int{3, 3}, organization: 1, limited: true},
	{name: "owner, deleting", levels: [2]int{3, 3}, organization: 1, limited: true},
	{name: "owner, registry token", levels: [2]int{1, 1}, organization: 1, limited: true, reading: true},
	{name: "stranger, by password", levels: [2]int{1, 0}},
	{name: "stranger, session", levels: [2]int{1, 0}},
	{name: "stranger, docker login", levels: [2]int{1, 0}, limited: true},
	{name: "stranger, session of a docker login", levels: [2]int{1, 0}, limited: true},
	{name: "hubadmin, by password", levels: [2]int{4, 4}, organization: 2, hubAdmin: true},
	{name: "hubadmin, session", levels: [2]int{4, 4}, organization: 2, hubAdmin: true},
	{name: "hubadmin, docker login", levels: [2]int{3, 3}, organization: 1, limited: true},
	{name: "hubadmin, session of a docker login", levels: [2]int{3, 3}, organization: 1, limited: true},
}

// credentials makes every kind of credential of a user who gets a password.
func (k *kit) credentials(user string) {
	k.t.Helper()
	const password = "correct horse battery"
	k.Done(k.Auth().SetPassword(k.t.Context(), tester, k.Account(user).ID, password))
	basic := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
	}
	k.tokens[user+", by password"] = basic(password)
	session := func(secret string) string {
		var a struct{ Token string }
		k.do("", "POST", "/v2/users/login", object{"username": user, "password": secret}).want(200).into(&a)
		return a.Token
	}
	k.tokens[user+", session"] = session(password)
	k.tokens[user+", session of a token"] = session(k.tokens[user])
	var a struct {
		Token   string
		Refresh string `json:"refresh_token"`
	}
	k.do(user+", by password", "GET", "/token?offline_token=true&client_id=docker&scope=registry:catalog:*", nil).want(200).into(&a)
	k.tokens[user+", registry token"] = a.Token
	k.tokens[user+", docker login"] = a.Refresh
	k.do(user+", by password", "GET", "/token?scope=repository:acme/public:pull", nil).want(200).into(&a)
	k.tokens[user+", registry token for one"] = a.Token
	k.tokens[user+", docker login as a password"] = basic(a.Refresh)
	k.tokens[user+", session of a docker login"] = session(a.Refresh)
}

// expected is 0 when the request is let in, or else how it is refused.
func (p who) expected(need string, private int) int {
	refuse := func(ok bool) int {
		switch {
		case ok:
			return 0
		case p.nobody:
			return 401
		}
		return 403
	}
	level := map[string]int{"read": 1, "read, by a credential that writes": 1, "write": 2, "delete": 3, "admin": 4}[need]
	switch need {
	case "open", "anyone":
		return 0
	case "account":
		return refuse(!p.nobody)
	case "account that writes":
		return refuse(!p.nobody && !p.reading)
	case "whole account":
		return refuse(!p.nobody && !p.limited)
	case "self":
		return refuse((strings.HasPrefix(p.name, "stranger") || p.operator) && !p.limited)
	case "self or hub admin":
		return refuse((strings.HasPrefix(p.name, "stranger") || p.hubAdmin) && !p.limited)
	case "hub admin":
		return refuse(p.hubAdmin && !p.limited)
	case "member", "owner", "pushes to all", "owner, or that member", "member, by a credential that writes":
		if p.organization == 0 && !p.nobody {
			return 404
		}
		if need == "owner, or that member" && p.name == "member" {
			return 0
		}
		if need == "pushes to all" {
			return refuse(p.organization == 2 || p.organization == 1 && p.levels[1] >= 2)
		}
		return refuse(p.organization == 2 || need == "member" && !p.nobody || need == "member, by a credential that writes" && !p.nobody && !p.reading)
	}
	if p.levels[private] == 0 {
		return 404
	}
	writes := need != "read, by a credential that writes" || !p.nobody && !p.reading
	return refuse(p.levels[private] >= level && writes)
}

// world is an organization with a public and a private repository, and people
// with every sort of right on them.
func world(t *testing.T) *kit {
	k, ctx := start(t), context.Background()
	for _, name := range []string{"owner", "stranger", "member", "reader", "writer", "manager", "hubadmin"} {
		k.user(name)
	}
	id := func(name string) string { return k.Account(name).ID }
	log := k.Log()
	k.Done(account.SetStanding(ctx, log, tester, k.Accounts(), id("hubadmin"), true, false))
	acme := k.made(account.CreateOrganization(ctx, log, tester, "acme", id("owner")))
	k.Done(account.GrantMembership(ctx, log, tester, acme, acme, id("member"), events.RoleMember))
	k.made(account.CreateTeam(ctx, log, tester, acme, "team", ""))
	k.made(account.CreateRobot(ctx, log, tester, acme, "ci", ""))
	k.token("acme+ci", "acme+ci", events.LevelAdmin)
	k.token("owner, reading", "owner", events.LevelRead)
	k.token("owner, pushing", "owner", events.LevelWrite)
	k.token("owner, public only", "owner", events.LevelAdmin, "acme/public")
	k.token("owner, reading one", "owner", events.LevelRead, "acme/private")
	k.token("hubadmin, public only", "hubadmin", events.LevelAdmin, "acme/public")
	k.token("hubadmin, reading", "hubadmin", events.LevelRead)
	k.token("owner, deleting", "owner", events.LevelDelete)
	k.token("member, reading", "member", events.LevelRead)
	k.token("member, deleting", "member", events.LevelDelete)
	for _, name := range []string{"acme/public", "acme/private"} {
		repo := k.repository(name, strings.TrimPrefix(name, "acme/"))
		for grantee, role := range map[string]string{"reader": events.RoleRead, "writer": events.RoleWrite, "manager": events.RoleAdmin, "acme+ci": events.RoleWrite} {
			kind := events.GranteeUser
			if strings.Contains(grantee, "+") {
				kind = events.GranteeRobot
			}
			k.Done(account.GiveGrant(ctx, log, tester, events.GrantGiven{Namespace: acme, Repository: repo.Repository, Grantee: id(grantee), GranteeKind: kind, Role: role}))
		}
		k.Client().MustPush(t, name, "tag", registrytest.NewImage("content"))
	}
	k.CatchUp()
	for _, name := range []string{"owner", "stranger", "hubadmin"} {
		k.credentials(name)
	}
	return k
}

var filled = strings.NewReplacer("{tile...}", "0/000.p/1", "{namespace}", "acme", "{user}", "stranger", "{account}", "owner", "{team}", "team", "{robot}", "ci", "{member}", "member", "{builder}", "big-iron", "{host}", "web1", "{projection}", "images", "{manager}", "sweeps", "{secret}", "NAME", "{organization}", "acme",
	"{kind}", "user", "{grantee}", "stranger", "{tag}", "tag", "{token}", "0191d1a0-0000-7000-8000-000000000001",
	"/api/v1/why", "/api/v1/why?of=1", "/access-changes", "/access-changes?since=s1", "{app}", "shop", "{environment}", "production", "{key}", "KEY", "{deployment}", "0191d1a0-0000-7000-8000-000000000001", "{gate}", "looks", "{release}", "1", "{id}", "0191d1a0-0000-7000-8000-000000000001", "{build}", "0191d1a0-0000-7000-8000-000000000001", "{seq}", "1", "{event}", "0191d1a0-0000-7000-8000-000000000001", "{digest}", registrytest.NewImage("content").Digest().String())

// Every endpoint lets in those whose role permits it, for a public and a private
// repository. A request that would change something has an invalid
// Idempotency-Key, which is refused only after the request was let in.
func TestWhoMayDoWhat(t *testing.T) {
	k := world(t)
	k.repository("stranger/app", events.Public)         // so that everybody sees them
	if err := k.Audit().Sign(t.Context()); err != nil { // so that there is a checkpoint
		t.Fatal(err)
	}
	want := map[string]string{}
	for need, list := range needs {
		for _, line := range strings.FieldsFunc(shorthand.Replace(list), func(r rune) bool { return r == '|' || r == '\n' }) {
			if line = strings.TrimSpace(line); line != "" {
				want[line] = need
			}
		}
	}
	for _, rt := range k.routes() {
		route := rt.Method + " " + rt.Pattern
		need, ok := want[route]
		delete(want, route)
		if !ok || rt.Permission == 0 {
			t.Errorf("%s: nothing says who may use it (permission %d)", route, rt.Permission)
			continue
		}
		if rt.Method != "GET" {
			k.replace(func(*api.Config, *endpoint.Config) {}) // with budgets of writes that nobody has used
		}
		for private, repo := range []string{"public", "private"} {
			path := filled.Replace(strings.ReplaceAll(rt.Pattern, "{name...}", repo))
			for _, p := range principals {
				got := k.ask(p.name, rt, path)
				if expected := p.expected(need, private); got != expected {
					t.Errorf("%s as %q on the %s repository: %d, want %d", route, p.name, repo, got, expected)
				}
			}
			if !strings.Contains(rt.Pattern, "{name...}") {
				break
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no such endpoints: %v", want)
	}
}

// ask is 0 when somebody is let in, or else the status of the refusal.
func (k *kit) ask(as string, rt service.Route, path string) int {
	k.t.Helper()
	a := k.do(as, rt.Method, path, nil, "Idempotency-Key", "short", "X-Docker-Token", "true", "Last-Event-ID", "none")
	if strings.HasPrefix(rt.Pattern, "/v2/users/login") || strings.HasPrefix(rt.Pattern, "/v2/auth/token") || rt.Pattern == "/api/v1/machines/enroll" {
		a.want(400) // the body is missing; who is in Authorization does not matter
		return 0
	}
	letIn := 200
	if rt.Method != "GET" {
		letIn = 400
		if a.Code == 400 && !strings.Contains(a.Body.String(), "Idempotency-Key") {
			k.t.Errorf("%s %s: %s", rt.Method, path, a.Body)
		}
	}
	// Whoever may see a namespace or a repository learns what it does not have.
	lacking := a.Code == 404 && (strings.Contains(a.Body.String(), "no build trigger of that URL") || strings.Contains(a.Body.String(), "no such build") || strings.Contains(a.Body.String(), "no such layer") || strings.Contains(a.Body.String(), "no git source of that name") || strings.Contains(a.Body.String(), "no such event") || strings.Contains(a.Body.String(), "nothing of that name is in the log") || strings.Contains(a.Body.String(), "it does not exist"))
	if strings.HasSuffix(rt.Pattern, "/live") && a.Code == 422 { // for its Last-Event-ID, behind which it would go on for minutes
		return 0
	}
	if a.Code == letIn || lacking {
		return 0
	}
	if a.Code == 401 && a.Header().Get("WWW-Authenticate") == "" {
		k.t.Errorf("%s %s: 401 without a challenge", rt.Method, path)
	}
	return a.Code
}

// A credential that is limited to some repositories shows nothing but these, and
// what everybody sees who has no credential.
func TestScopedCredentialsSeeTheirRepositories(t *testing.T) {
	k := world(t)
	k.repository("stranger/hidden", events.Private)
	hidden := regexp.MustCompile(`private|hidden|"(name|member|orgname)":"(acme|member|hubadmin|team|acme\+ci)"|@`)
	tried := 0
	for _, as := range []string{"owner, public only", "hubadmin, public only", "owner, registry token for one"} {
		for _, rt := range append(k.routes(), service.Route{Method: "GET", Pattern: "/v2/_catalog"}) {
			if rt.Method != "GET" || rt.Permission == access.Open || rt.Pattern == "/api/v1/events/live" {
				continue
			}
			path := filled.Replace(strings.ReplaceAll(rt.Pattern, "{name...}", "public"))
			a := k.do(as, "GET", path, nil)
			tried++
			if a.Body.String() == k.do("", "GET", path, nil).Body.String() {
				continue
			}
			var body bytes.Buffer
			if json.Compact(&body, a.Body.Bytes()) != nil {
				body.Write(a.Body.Bytes())
			}
			// Who has rights on the repository itself, and who asks, is not hidden.
			if (strings.HasSuffix(rt.Pattern, "/grants") || strings.Contains(rt.Pattern, "/access")) && strings.Contains(rt.Pattern, "{name...}") || rt.Pattern == "/api/v1/user" {
				continue
			}
			text := strings.NewReplacer(`"is_private"`, "", `"isPrivate"`, "", "@sha256:", "", `"defaultVisibility":"private"`, "").Replace(body.String())
			if rt.Pattern == "/api/v1/events" || rt.Pattern == "/api/v1/events/export" { // to whom the repository was opened is not hidden from who administers it
				text = strings.ReplaceAll(text, `"name":"acme+ci"`, "")
			}
			if found := hidden.FindString(text); found != "" {
				t.Errorf("GET %s as %q shows %q: %d %s", path, as, found, a.Code, text)
			}
		}
	}
	if tried < 90 {
		t.Errorf("%d requests", tried)
	}
}

// A repository that somebody may not see and one that does not exist look the same.
func TestHiddenLooksMissing(t *testing.T) {
	k := world(t)
	for _, rt := range k.routes() {
		if !strings.Contains(rt.Pattern, "{name...}") {
			continue
		}
		for _, as := range []string{"", "stranger"} {
			answers := [2]string{}
			for i, repo := range []string{"private", "missing"} {
				a := k.do(as, rt.Method, filled.Replace(strings.ReplaceAll(rt.Pattern, "{name...}", repo)), nil)
				answers[i] = fmt.Sprint(a.Code, a.Header(), a.Body)
			}
			if answers[0] != answers[1] {
				t.Errorf("%s %s as %q: %s\n and %s", rt.Method, rt.Pattern, as, answers[0], answers[1])
			}
		}
	}
}

// The namespace of a user is no organization: it has no members, teams or robot
// accounts, also not for its owner.
func TestUsersAreNoOrganizations(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.CatchUp()
	before, tried := k.LastSeq(), 0
	for _, rt := range k.routes() {
		if !strings.HasPrefix(rt.Pattern, "/api/v1/orgs/{namespace}") {
			continue
		}
		var body any
		switch {
		case strings.HasSuffix(rt.Pattern, "/tokens"):
			body = object{"name": "x", "level": "read"}
		case rt.Method == "POST":
			body = object{"name": "x"}
		case strings.HasSuffix(rt.Pattern, "{namespace}/members/{member}"):
			body = object{"role": "owner"}
		}
		if rt.Method == "GET" || rt.Method == "DELETE" {
			body = nil
		}
		path := strings.NewReplacer("{namespace}", "alice", "{member}", "alice").Replace(rt.Pattern)
		if a := k.do("alice", rt.Method, filled.Replace(path), body); a.Code != 404 {
			t.Errorf("%s %s: %d %s", rt.Method, rt.Pattern, a.Code, a.Body)
		}
		tried++
	}
	if after := k.LastSeq(); tried < 10 || after != before {
		t.Errorf("%d endpoints tried, %d events", tried, after-before)
	}
}
