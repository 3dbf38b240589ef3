package webtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"hubledger/services/deployer/hosttest"
	"hubledger/services/internal/hosting"
	"hubledger/services/registry/registrytest"
)

// Apps are what a Town has of applications, in acme, on the hosts web1 and web2, which answer, and away,
// which never did: acme/shop has the environments production, where release 2 is held beside release 1
// with gates open, staging, where a start has failed, and preview, where nothing was
// deployed; acme/bare has none. What containers, gates and people say is Hostile.
type Apps struct {
	Web1, Web2   *hosttest.Host
	Held, Failed string // ids of deployments
}

// Compose is the file of acme/shop.
const Compose = `services:
  web:
    image: ` + dockerHost + `/acme/web:1
    environment: [DATABASE_URL, REGION]
    labels: {note: '"><script>alert(1)</script><img src=x onerror=alert(2)>'}
    x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081, probe: /healthz}
  job:
    image: ` + dockerHost + `/acme/job:1
    x-hubledger: {role: worker}
  db:
    image: postgres@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    x-hubledger: {role: stateful}
`

// AddApps gives the town its Apps.
func (t *Town) AddApps() {
	t.T.Helper()
	client := t.Client()
	client.MustPush(t.T, "acme/web", "1", registrytest.NewImage("web 1"))
	client.MustPush(t.T, "acme/job", "1", registrytest.NewImage("job 1"))
	t.Apps.Web1, t.Apps.Web2 = hosttest.Run(t.Server, "web1"), hosttest.Run(t.Server, "web2")
	hosttest.Enroll(t.Server, "away")
	t.Apps.Web1.Looks(sight)
	t.CatchUp()
	t.Call(http.MethodPost, "/apps/acme", map[string]any{"name": "shop", "compose": Compose})
	t.Call(http.MethodPost, "/apps/acme", map[string]any{"name": "bare", "compose": Compose})
	const shop = "/apps/acme/shop"
	for _, name := range []string{"production", "staging", "preview"} {
		t.Call(http.MethodPut, shop+"/environments/"+name, nil)
		t.Call(http.MethodPut, shop+"/environments/"+name+"/config/REGION", map[string]any{"value": Hostile})
		t.Call(http.MethodPut, shop+"/environments/"+name+"/secrets/DATABASE_URL", map[string]any{"value": "the secret"})
	}
	both := map[string]any{"web": []string{"web1", "web2"}, "worker": []string{"web2"}, "stateful": []string{"web1"}}
	t.Call(http.MethodPut, shop+"/environments/production/hosts", both)
	t.Call(http.MethodPut, shop+"/environments/staging/hosts", map[string]any{"web": []string{"web2"}, "worker": []string{"web2"}, "stateful": []string{"web2"}})
	t.Call(http.MethodPut, shop+"/environments/production/policy", map[string]any{"gates": []map[string]any{{"name": "errors", "kind": "manual"}, {"name": "looks-good", "kind": "manual"}}})
	t.Call(http.MethodPost, shop+"/releases", map[string]any{"note": Hostile})
	t.Await("production", t.Deploy("production", 1), "ended")
	t.Await("staging", t.Deploy("staging", 1), "ended")
	client.MustPush(t.T, "acme/web", "1", registrytest.NewImage("web 2"))
	t.Call(http.MethodPost, shop+"/releases", map[string]any{"note": "the new cart"})
	t.Apps.Web2.Spoil(func(s *hosting.Seen) {
		if s.Phase == hosting.Run && s.Containers != nil && strings.HasSuffix(s.ID, "-green") {
			s.Healthy, s.Fatal, s.Error = false, true, "the container ends each time "+Hostile
			s.Containers[0].ExitCode, s.Containers[0].State, s.Containers[0].Log, s.Containers[0].HealthLog = 3, "exited", "listening\npanic: "+Hostile, "GET /healthz: "+Hostile
		}
	})
	t.Apps.Failed = t.Deploy("staging", 2)
	t.Await("staging", t.Apps.Failed, "ended")
	t.Apps.Web2.Spoil(nil)
	t.Apps.Held = t.Deploy("production", 2)
	t.Await("production", t.Apps.Held, "held")
	t.Call(http.MethodPost, shop+"/deployments/"+t.Apps.Held+"/gates/errors", map[string]any{"verdict": "fail", "reason": Hostile})
	t.CatchUp()
}

// Deploy asks for a deployment of a release of acme/shop, and returns its id.
func (t *Town) Deploy(environment string, release int) string {
	t.T.Helper()
	t.Call(http.MethodPost, "/apps/acme/shop/environments/"+environment+"/deployments", map[string]any{"release": release, "note": Hostile})
	return t.Admin.Get("/api/v1/apps/acme/shop/environments/"+environment).Is(http.StatusOK).Between(`"deployment":"`, `"`)
}

// Await waits until a deployment of acme/shop is at a step; environment is for readers.
func (t *Town) Await(environment, id, step string) {
	t.T.Helper()
	t.AwaitIn("acme/shop", id, step)
}

// AwaitIn waits until a deployment of an application is at a step.
func (t *Town) AwaitIn(app, id, step string) {
	t.T.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := t.Admin.Get("/api/v1/apps/" + app + "/deployments/" + id)
		if strings.Contains(a.Text, fmt.Sprintf(`"step":%q`, step)) {
			return
		}
		if time.Now().After(end) {
			t.T.Fatalf("the deployment of %s is not %s: %s", app, step, a.Text)
		}
	}
}

// sight is what web1 says of its containers.
func sight(q hosting.Look) hosting.Sight {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	switch {
	case q.Kind == hosting.LookInspect:
		return hosting.Sight{Running: true, Inspect: &hosting.Inspected{ID: q.Container, Name: q.Slot + "-web-0", Image: dockerHost + "/acme/web@sha256:" + strings.Repeat("0", 64), State: "running", Health: "healthy", Created: at, Started: at,
			Checks: []hosting.HealthCheck{{At: at, ExitCode: 1, Output: Hostile}}, Entrypoint: []string{"/app"}, Command: []string{"serve", Hostile}, Variables: []string{"DATABASE_URL", "HUBLEDGER_COLOUR", "REGION"},
			Ports: []string{"127.0.0.1:18080 -> 8080/tcp"}, Networks: []string{q.Slot + "-default 172.18.0.2"}, Mounts: []string{"volume data -> /data"}, Memory: 256 << 20, CPUs: 1.5, Restart: "unless-stopped"}}
	case q.Kind == hosting.LookTop:
		return hosting.Sight{Running: true, Top: &hosting.Processes{Titles: []string{"PID", "PPID", "USER", "%CPU", "%MEM", "ELAPSED", "COMMAND"}, Rows: [][]string{{"4711", "4690", "root", "0.1", "0.3", "02:11:09", "/app serve " + Hostile}}}}
	case q.After > 0:
		time.Sleep(50 * time.Millisecond)
		if q.After > at.Add(10*time.Second).UnixNano() {
			return hosting.Sight{Running: true}
		}
		return hosting.Sight{Running: true, Lines: []hosting.LogLine{{At: at.Add(time.Minute).UnixNano(), Text: "it goes on"}}}
	}
	return hosting.Sight{Running: true, Lines: []hosting.LogLine{{At: at.UnixNano(), Text: "listening on :8080"}, {At: at.Add(time.Second).UnixNano(), Text: "GET / 200 \x1b[32mok\x1b[0m"},
		{At: at.Add(2 * time.Second).UnixNano(), Err: true, Text: "a request that fails: " + Hostile}, {At: at.Add(3 * time.Second).UnixNano(), Text: strings.Repeat("a long line ", 40), Cut: true}}}
}
