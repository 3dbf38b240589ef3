package webtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/totp"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// Hostile is a text that would be a script if a page took it for HTML.
const Hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

// A Town is a hub with people and images: the administrator has the repositories admin/app,
// with two tags and a description, and the public admin/open, and has deleted admin/gone. It
// owns the organization acme, in which alice is, with the team devs, the robot account acme+ci
// and the empty repository acme/empty. bob has nothing.
type Town struct {
	*servertest.Server
	Admin, Alice, Bob *Browser // signed in
	Nobody            *Browser
	Carol, Halfway    *Browser            // of AddSecondFactor: she is signed in, and has given her password only
	App               *registrytest.Image // admin/app:1.0 and latest
	Git               Git                 // of AddGit
	Apps              Apps                // of AddApps
	Then              uint64              // the sequence of the event after which this is all that there is
	Token, RobotToken string              // ids of an access token of admin, and of one of acme+ci
	token             string
}

// dockerHost is the hub in the names of images.
const dockerHost = "hub.test:5050"

// NewTown builds it.
func NewTown(t testing.TB) *Town {
	t.Helper()
	hub := servertest.Start(t, server.Config{Docker: dockerHost})
	town := &Town{Server: hub, token: hub.Token(servertest.Admin, "admin")}
	for _, name := range []string{"alice", "bob"} {
		town.Call(http.MethodPost, "/users", map[string]any{"name": name, "password": "the password of " + name})
	}
	town.Admin = As(t, hub, servertest.Admin, servertest.Password)
	town.Alice, town.Bob = As(t, hub, "alice", "the password of alice"), As(t, hub, "bob", "the password of bob")
	town.Nobody = NewBrowser(t, hub)
	client := hub.Client()
	town.App = registrytest.With(func(m *v1.Manifest) {
		m.Annotations = map[string]string{"org.opencontainers.image.title": "app", "note": Hostile}
	}, "first layer", "second layer")
	client.MustPush(t, "admin/app", "1.0", town.App)
	client.MustPush(t, "admin/app", "latest", town.App)
	client.MustPush(t, "admin/open", "1", registrytest.NewImage("something else"))
	town.Call(http.MethodPatch, "/repositories/admin/app", map[string]any{"description": "What greets " + Hostile, "readme": "# App\n\nA [link](https://example.org) and " + Hostile})
	town.Call(http.MethodPatch, "/repositories/admin/open", map[string]any{"visibility": "public"})
	town.organization()
	town.Call(http.MethodPost, "/repositories", map[string]any{"name": "acme/empty"})
	town.Call(http.MethodPost, "/repositories", map[string]any{"name": "admin/gone"})
	town.Call(http.MethodDelete, "/repositories/admin/gone", nil)
	hub.CatchUp()
	town.Then = hub.LastSeq()
	town.Token, town.RobotToken = town.tokenOf(servertest.Admin), town.tokenOf("acme+ci")
	return town
}

// AddPast gives admin/app the tag moved, which has named another image before, and a deleted
// tag and image.
func (t *Town) AddPast() {
	t.T.Helper()
	client := t.Client()
	client.MustPush(t.T, "admin/app", "moved", t.App)
	client.MustPush(t.T, "admin/app", "moved", registrytest.NewImage("moved"))
	deleted := client.MustPush(t.T, "admin/app", "gone", registrytest.NewImage("gone"))
	client.Must(t.T, http.MethodDelete, "/v2/admin/app/manifests/gone", nil).Want(t.T, http.StatusAccepted)
	client.Must(t.T, http.MethodDelete, "/v2/admin/app/manifests/"+deleted.Digest().String(), nil).Want(t.T, http.StatusAccepted)
	t.CatchUp()
}

// AddSecondFactor adds carol, who has a second factor.
func (t *Town) AddSecondFactor() {
	t.T.Helper()
	t.Call(http.MethodPost, "/users", map[string]any{"name": "carol", "password": "the password of carol"})
	t.Carol, t.Halfway = As(t.T, t.Server, "carol", "the password of carol"), NewBrowser(t.T, t.Server)
	page := t.Carol.Get("/account/second-factor").Is(http.StatusOK)
	key := page.Between(`name="key" value="`, `"`)
	raw, err := totp.ParseKey(key)
	if err != nil {
		t.T.Fatal(err)
	}
	t.Carol.Post("/account/second-factor", "do", "on", "key", key, "password", "the password of carol", "code", totp.Code(raw, totp.Step(time.Now()))).Is(http.StatusOK)
	t.Halfway.Post("/sign-in", "do", "sign-in", "name", "carol", "password", "the password of carol").Leads("/sign-in/code")
}

func (t *Town) organization() {
	t.T.Helper()
	t.Call(http.MethodPost, "/orgs", map[string]any{"name": "acme"})
	t.Call(http.MethodPut, "/orgs/acme/members/alice", map[string]any{"role": "member"})
	t.Call(http.MethodPost, "/orgs/acme/teams", map[string]any{"name": "devs", "description": Hostile})
	t.Call(http.MethodPut, "/orgs/acme/teams/devs/members/alice", nil)
	t.Call(http.MethodPost, "/orgs/acme/robots", map[string]any{"name": "ci", "description": Hostile})
	t.Call(http.MethodPost, "/orgs/acme/robots/ci/tokens", map[string]any{"name": Hostile, "level": "write"})
	t.Call(http.MethodPut, "/namespaces/acme/grants/team/devs", map[string]any{"role": "read"})
	t.Call(http.MethodPut, "/repositories/admin/app/grants/user/alice", map[string]any{"role": "write"})
}

// tokenOf is the id of the newest access token of an account.
func (t *Town) tokenOf(account string) string {
	t.T.Helper()
	tokens, err := t.Accounts().Tokens(t.T.Context(), accounts.TokenList{Owner: t.Account(account).ID, N: 1000})
	if err != nil {
		t.T.Fatal(err)
	}
	for _, k := range tokens {
		if k.Kind == events.TokenAccess {
			return k.ID
		}
	}
	t.T.Fatalf("%s has no access token", account)
	return ""
}

// Call asks the API for a change, as the administrator.
func (t *Town) Call(method, path string, body any) {
	t.T.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.T.Fatal(err)
	}
	at, err := url.JoinPath(t.URL, "/api/v1", path)
	if err != nil {
		t.T.Fatal(err)
	}
	r, err := http.NewRequest(method, at, strings.NewReader(string(raw)))
	if err != nil {
		t.T.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+t.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.T.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		var problem map[string]any
		json.NewDecoder(resp.Body).Decode(&problem) // only to show it
		t.T.Fatalf("%s %s: %d %v", method, path, resp.StatusCode, problem)
	}
}
