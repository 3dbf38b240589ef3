package deployer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/internal/egress"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

type object = map[string]any

// A world is a hub with the organization acme, its images acme/web and acme/job, and
// those of a stranger.
type world struct {
	*servertest.Server
	tokens map[string]string
	acme   string
	web    digest.Digest // acme/web:1
}

const host = "hub.test:5050"

func newWorld(t *testing.T) *world { return newWorldOf(t, server.Config{}) }

func newWorldOf(t *testing.T, c server.Config) *world {
	guard, err := egress.NewGuard([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	c.Docker, c.Egress = host, guard
	w, ctx := &world{Server: servertest.Start(t, c), tokens: map[string]string{"": ""}}, t.Context()
	for _, name := range []string{"owner", "member", "pusher", "stranger"} {
		_, seq, err := account.CreateUser(ctx, w.Log(), servertest.By, name)
		w.Done(seq, err)
		w.tokens[name] = w.Token(name, events.LevelAdmin)
	}
	var seq uint64
	w.acme, seq, err = account.CreateOrganization(ctx, w.Log(), servertest.By, "acme", w.Account("owner").ID)
	w.Done(seq, err)
	w.Done(account.GrantMembership(ctx, w.Log(), servertest.By, w.acme, w.acme, w.Account("member").ID, events.RoleMember))
	w.Done(account.GiveGrant(ctx, w.Log(), servertest.By, events.GrantGiven{Namespace: w.acme, Grantee: w.Account("pusher").ID, GranteeKind: events.GranteeUser, Role: events.RoleWrite}))
	w.CatchUp()
	w.web = w.push("acme/web", "1", "web 1")
	w.push("acme/job", "1", "job 1")
	w.push("stranger/app", "1", "stranger's")
	return w
}

// push pushes an image, and returns its digest.
func (w *world) push(name, tag, content string) digest.Digest {
	w.T.Helper()
	i := registrytest.NewImage(content)
	w.Client().MustPush(w.T, name, tag, i)
	return i.Digest()
}

// call sends a request as somebody; it must have that status. The answer is read into
// out, if that is not nil.
func (w *world) call(as, method, path string, body any, status int, out any) {
	w.T.Helper()
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	if token := w.tokens[as]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	a := httptest.NewRecorder()
	w.Handler.ServeHTTP(a, r)
	if a.Code != status {
		w.T.Fatalf("%s: %s %s: %d, %s", as, method, path, a.Code, a.Body)
	}
	switch out := out.(type) {
	case nil:
	case *string:
		*out = a.Body.String()
	default:
		reflect.ValueOf(out).Elem().SetZero()
		if err := json.Unmarshal(a.Body.Bytes(), out); err != nil {
			w.T.Fatal(err)
		}
	}
}

// shop is the Compose file of acme/shop.
const shop = `services:
  web:
    image: ` + host + `/acme/web:1
    environment: [DATABASE_URL, REGION]
    x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081}
  job:
    image: ` + host + `/acme/job:1
    x-hubledger: {role: worker}
  db:
    image: postgres@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    x-hubledger: {role: stateful}
`

// create makes acme/shop with an environment that has what it needs.
func (w *world) create() {
	w.T.Helper()
	w.call("owner", "POST", "/apps/acme", object{"name": "shop", "compose": shop, "keep": 2}, 201, nil)
	w.call("owner", "PUT", "/apps/acme/shop/environments/production", nil, 200, nil)
	w.set("config/REGION", "eu")
	w.set("secrets/DATABASE_URL", "postgres://secret")
}

func (w *world) set(key, value string) {
	w.T.Helper()
	w.call("owner", "PUT", fmt.Sprint("/apps/acme/shop/environments/production/", key), object{"value": value}, 200, nil)
}
