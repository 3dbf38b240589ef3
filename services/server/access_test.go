package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/repository"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server/servertest"
)

// A caller has a credential, and the expected levels on the four repositories of
// the table.
type caller struct {
	name, secret string
	public       access.Level
	private      access.Level
	missing      access.Level // a name in acme that nobody has pushed
	topLevel     access.Level // a name without a namespace
}

// The registry's endpoints, each with a harmless request and the status that shows
// that the request was allowed.
var requests = []struct {
	method, path string
	level        access.Level
	there, gone  int // when the repository is there, and when it is not
}{
	{"GET", "/manifests/1.0", access.Read, 200, 404},
	{"HEAD", "/manifests/1.0", access.Read, 200, 404},
	{"GET", "/tags/list", access.Read, 200, 404},
	{"HEAD", "/tags/list", access.Read, 200, 404},
	{"GET", "/blobs/LAYER", access.Read, 200, 404},
	{"HEAD", "/blobs/LAYER", access.Read, 200, 404},
	{"GET", "/referrers/LAYER", access.Read, 200, 200},
	{"HEAD", "/referrers/LAYER", access.Read, 200, 200},
	{"POST", "/blobs/uploads/", access.Write, 202, 202},
	{"GET", "/blobs/uploads/" + unknownUpload, access.Write, 404, 404},
	{"HEAD", "/blobs/uploads/" + unknownUpload, access.Write, 404, 404},
	{"PATCH", "/blobs/uploads/" + unknownUpload, access.Write, 404, 404},
	{"PUT", "/blobs/uploads/" + unknownUpload + "?digest=LAYER", access.Write, 404, 404},
	{"DELETE", "/blobs/uploads/" + unknownUpload, access.Write, 404, 404},
	{"PUT", "/manifests/1.0", access.Write, 400, 400},
	{"DELETE", "/manifests/NONE", access.Delete, 404, 404},
	{"DELETE", "/blobs/NONE", access.Delete, 404, 404},
}

const unknownUpload = "0199d6a5-3c00-7000-8000-000000000001"

// Who may do what with which repository, on every endpoint of the registry, by
// Basic and by the token that the token service gives for it.
func TestWhoMayUseTheRegistry(t *testing.T) {
	n := run(t)
	base := n.URL
	callers, layer := accessWorld(t, n)
	replace := strings.NewReplacer("LAYER", layer.String(), "NONE", digest.FromString("none").String())
	seen := map[string]bool{}
	for _, c := range callers {
		t.Run(c.name+" "+fmt.Sprint(len(seen)), func(t *testing.T) {
			seen[c.name+c.secret] = true
			for name, level := range map[string]access.Level{"acme/public": c.public, "acme/private": c.private, "acme/missing": c.missing, "toplevel": c.topLevel} {
				for _, by := range []string{"basic", "bearer"} {
					authorization := c.authorization(t, base, name, by)
					for _, q := range requests {
						r := ask(t, q.method, base+"/v2/"+name+replace.Replace(q.path), strings.NewReader("{}"), authorization)
						want := q.there
						if name != "acme/public" && name != "acme/private" {
							want = q.gone
						}
						what := fmt.Sprintf("%s %s of %s by %s (%s): %d %s", q.method, q.path, name, c.name, by, r.status, r.body)
						if level >= q.level && r.status != want {
							t.Errorf("%s; want %d", what, want)
						}
						if level < q.level {
							refusedWell(t, what, q.method, c.secret != "" || by == "bearer", r)
						}
					}
				}
			}
			c.cannotTell(t, base, replace)
		})
	}
	for _, r := range n.Registry().Service().Routes {
		tested := r.Pattern == "/v2/" || r.Pattern == "/v2/_catalog" // below, and in the registry's own tests
		for _, q := range requests {
			path, _, _ := strings.Cut(q.path, "?")
			path = strings.NewReplacer("/manifests/1.0", "/manifests/{reference}", "/manifests/NONE", "/manifests/{reference}", "/blobs/LAYER", "/blobs/{digest}",
				"/blobs/NONE", "/blobs/{digest}", "/referrers/LAYER", "/referrers/{digest}", unknownUpload, "{id}").Replace(path)
			tested = tested || q.method == r.Method && "/v2/{name...}"+path == r.Pattern
		}
		if !tested {
			t.Errorf("%s %s is not in the table", r.Method, r.Pattern)
		}
	}
}

// refusedWell checks that a refusal is 401 with a way to log in, or 403, and does
// not say what exists. HEAD with credentials is a plain 404.
func refusedWell(t *testing.T, what, method string, credentials bool, r reply) {
	t.Helper()
	switch {
	case r.status == 401 && strings.Contains(r.header.Get("WWW-Authenticate"), "/token"):
	case r.status == 403 && credentials:
	case r.status == 404 && credentials && method == "HEAD":
	default:
		t.Errorf("%s; want a refusal", what)
	}
}

// cannotTell checks that a caller who may not read a private repository cannot tell
// it from a missing one.
func (c caller) cannotTell(t *testing.T, base string, replace *strings.Replacer) {
	t.Helper()
	if c.private > access.None {
		return
	}
	for _, by := range []string{"basic", "bearer"} {
		private, missing := c.authorization(t, base, "acme/private", by), c.authorization(t, base, "acme/absentee", by)
		for _, q := range requests {
			show := func(name string, authorization http.Header) string {
				r := ask(t, q.method, base+"/v2/"+name+replace.Replace(q.path), strings.NewReader("{}"), authorization)
				r.header.Del("Date")
				r.header.Del("Content-Length")
				return strings.ReplaceAll(fmt.Sprint(r.status, r.header, string(r.body)), strings.TrimPrefix(name, "acme/"), "NAME")
			}
			if a, b := show("acme/private", private), show("acme/absentee", missing); a != b {
				t.Errorf("%s %s by %s (%s):\n%s\nbut where nothing is:\n%s", q.method, q.path, c.name, by, a, b)
			}
		}
	}
}

// authorization is the Authorization header of a caller. For a bearer, it has a
// token that was requested with all rights on the repository.
func (c caller) authorization(t *testing.T, base, name, by string) http.Header {
	t.Helper()
	basic := http.Header{"Authorization": {""}}
	if c.secret != "" {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(c.name, c.secret)
		basic = r.Header
	}
	if by == "basic" {
		return basic
	}
	r := ask(t, "GET", base+"/token?"+url.Values{"service": {"hubledger"}, "scope": {"repository:" + name + ":pull,push,delete"}}.Encode(), nil, basic)
	var answer struct{ Token string }
	if err := json.Unmarshal(r.body, &answer); err != nil || r.status != 200 || answer.Token == "" {
		t.Fatalf("token for %s: %d %s", c.name, r.status, r.body)
	}
	return http.Header{"Authorization": {"Bearer " + answer.Token}}
}

// accessWorld makes the organization acme with a public and a private repository, and
// callers with every kind of right on them.
func accessWorld(t *testing.T, n *servertest.Server) ([]caller, digest.Digest) {
	t.Helper()
	ctx, by, log, who := t.Context(), servertest.By, n.Log(), n.Accounts()
	ids := map[string]string{}
	for _, name := range []string{"owner", "stranger", "member", "reader", "writer", "manager", "teammate", "former", "disabled", "root"} {
		id, seq, err := account.CreateUser(ctx, log, by, name)
		n.Done(seq, err)
		ids[name] = id
	}
	acme, seq, err := account.CreateOrganization(ctx, log, by, "acme", ids["owner"])
	n.Done(seq, err)
	for _, name := range []string{"member", "teammate", "former"} {
		n.Done(account.GrantMembership(ctx, log, by, acme, acme, ids[name], events.RoleMember))
	}
	team, seq, err := account.CreateTeam(ctx, log, by, acme, "devs", "")
	n.Done(seq, err)
	n.Done(account.GrantMembership(ctx, log, by, acme, team, ids["teammate"], events.RoleMember))
	n.Done(account.GrantMembership(ctx, log, by, acme, team, ids["former"], events.RoleMember))
	robot, seq, err := account.CreateRobot(ctx, log, by, acme, "ci", "")
	n.Done(seq, err)
	n.Done(account.SetStanding(ctx, log, by, who, ids["root"], true, false))

	owner := n.Token("owner", events.LevelAdmin)
	client := registrytest.NewClient(n.URL)
	client.User, client.Password = "owner", owner
	defer client.Close()
	image := registrytest.NewImage("layer")
	for _, name := range []string{"acme/public", "acme/private"} {
		if err := client.Push(name, "1.0", image); err != nil {
			t.Fatal(err)
		}
	}
	n.CatchUp() // a push waits for the images alone
	repo := func(name string) string {
		r, err := who.Repository(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	public, private := repo("acme/public"), repo("acme/private")
	n.Done(repository.ChangeVisibility(ctx, log, by, repository.ID{Namespace: acme, Repository: public}, "acme/public", events.Public))
	grant := func(repository, grantee, kind, role string) {
		t.Helper()
		n.Done(account.GiveGrant(ctx, log, by, events.GrantGiven{Namespace: acme, Repository: repository, Grantee: grantee, GranteeKind: kind, Role: role}))
	}
	for _, id := range []string{public, private} {
		grant(id, ids["reader"], accounts.KindUser, events.RoleRead)
		grant(id, ids["writer"], accounts.KindUser, events.RoleWrite)
		grant(id, ids["manager"], accounts.KindUser, events.RoleAdmin)
		grant(id, ids["disabled"], accounts.KindUser, events.RoleAdmin)
	}
	grant("", team, events.GranteeTeam, events.RoleWrite)
	grant("", robot, events.GranteeRobot, events.RoleWrite)
	callers := []caller{
		{name: "anonymous", public: access.Read},
		{name: "stranger", secret: n.Token("stranger", events.LevelAdmin), public: access.Read},
		{name: "member", secret: n.Token("member", events.LevelAdmin), public: access.Read},
		{name: "former", secret: n.Token("former", events.LevelAdmin), public: access.Read},
		{name: "reader", secret: n.Token("reader", events.LevelAdmin), public: access.Read, private: access.Read},
		{name: "writer", secret: n.Token("writer", events.LevelAdmin), public: access.Delete, private: access.Delete},
		{name: "writer", secret: n.Token("writer", events.LevelWrite), public: access.Write, private: access.Write},
		{name: "writer", secret: n.Token("writer", events.LevelRead), public: access.Read, private: access.Read},
		{name: "writer", secret: n.Token("writer", events.LevelAdmin, "acme/public"), public: access.Delete},
		{name: "manager", secret: n.Token("manager", events.LevelDelete), public: access.Delete, private: access.Delete},
		{name: "teammate", secret: n.Token("teammate", events.LevelAdmin), public: access.Delete, private: access.Delete, missing: access.Delete},
		{name: "acme+ci", secret: n.Token("acme+ci", events.LevelAdmin), public: access.Delete, private: access.Delete, missing: access.Delete},
		{name: "acme+ci", secret: n.Token("acme+ci", events.LevelWrite, "acme/private"), private: access.Write},
		{name: "owner", secret: owner, public: access.Admin, private: access.Admin, missing: access.Admin},
		{name: "root", secret: n.Token("root", events.LevelAdmin), public: access.Admin, private: access.Admin, missing: access.Admin, topLevel: access.Admin},
		{name: "root", secret: n.Token("root", events.LevelRead), public: access.Read, private: access.Read},
	}
	n.Done(n.Auth().SetPassword(ctx, by, ids["owner"], ownersPassword))
	for _, secret := range []string{ownersPassword, dockerLogin(t, n.URL, "owner", ownersPassword)} {
		callers = append(callers, caller{name: "owner", secret: secret, public: access.Delete, private: access.Delete, missing: access.Delete})
	}
	disabled := n.Token("disabled", events.LevelAdmin)
	n.Done(account.SetStanding(ctx, log, by, who, ids["disabled"], false, true))
	n.Done(account.RevokeMembership(ctx, log, by, acme, acme, ids["former"]))
	basic := caller{name: "disabled", secret: disabled}.authorization(t, n.URL, "acme/public", "basic")
	if r := ask(t, "GET", n.URL+"/v2/acme/public/tags/list", nil, basic); r.status != 401 {
		t.Errorf("a disabled account is answered %d %s", r.status, r.body)
	}
	layer := layerOf(t, ask(t, "GET", n.URL+"/v2/acme/public/manifests/1.0", nil, http.Header{"Authorization": {""}}).body)
	return callers, layer
}

const ownersPassword = "correct horse battery"

// dockerLogin is what docker login with a password stores in its place.
func dockerLogin(t *testing.T, base, name, password string) string {
	t.Helper()
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(name, password)
	var answer struct {
		Refresh string `json:"refresh_token"`
	}
	got := ask(t, "GET", base+"/token?offline_token=true&client_id=docker", nil, r.Header)
	if err := json.Unmarshal(got.body, &answer); err != nil || answer.Refresh == "" {
		t.Fatalf("a login of %s: %d %s", name, got.status, got.body)
	}
	return answer.Refresh
}

func layerOf(t *testing.T, manifest []byte) digest.Digest {
	t.Helper()
	var m struct {
		Layers []struct{ Digest digest.Digest }
	}
	if err := json.NewDecoder(bytes.NewReader(manifest)).Decode(&m); err != nil || len(m.Layers) == 0 {
		t.Fatalf("no layers in %s: %v", manifest, err)
	}
	return m.Layers[0].Digest
}
