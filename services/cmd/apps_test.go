package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/cmd/client"
	"hubledger/services/deployer/hosttest"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/hosting"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// appsHub is a hub with admin/shop on one host, and the command line, logged in as admin.
func appsHub(t *testing.T) (hub *servertest.Server, web1 *hosttest.Host, run func(code int, args ...string) string) {
	hub = servertest.Start(t, server.Config{Docker: "hub.test"})
	web1 = hosttest.Run(hub, "web1")
	hub.CatchUp()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if err := (client.Logins{Current: hub.URL, Logins: map[string]client.Login{hub.URL: {User: "admin", Token: hub.Token(servertest.Admin, events.LevelAdmin)}}}).Write(); err != nil {
		t.Fatal(err)
	}
	run = func(code int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if got := Main(t.Context(), args, &out, &errOut); got != code {
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, &out, &errOut)
		}
		return out.String() + errOut.String()
	}
	return hub, web1, run
}

func says(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(text) {
			t.Errorf("it does not say %s:\n%s", p, text)
		}
	}
}

// The commands of a deployment say what has become of it: its gates, who has promoted it, what has the
// traffic after it was given up; why leads to it by its id and by a container.
func TestDeciding(t *testing.T) {
	hub, web1, run := appsHub(t)
	push := func(content string) {
		t.Helper()
		hub.Client().MustPush(t, "admin/app", "1", registrytest.NewImage(content))
		hub.CatchUp()
	}
	push("one")
	run(0, "apps", "create", "admin/shop", composeFile(t))
	says(t, run(0, "apps", "ls"), `(?m)^admin/shop +-`)
	run(0, "apps", "hosts", "set", "admin/shop", "production", "--web", "web1")
	says(t, run(1, "gates", "ls", "admin/shop", "production"), "nothing was deployed to production of admin/shop yet")
	says(t, run(0, "deploy", "admin/shop", "production", "--yes"), "promoted")
	says(t, run(0, "gates", "ls", "admin/shop", "production"), "No gates. The policy of the environment names them: hubledger apps policy show admin/shop production")

	policy := t.TempDir() + "/policy.json"
	writeFile(t, policy, `{"gates": [{"name": "errors", "kind": "manual"}, {"name": "bugs", "kind": "webhook", "format": "sentry"}]}`)
	run(0, "apps", "policy", "set", "admin/shop", "production", policy)
	push("two")
	run(0, "deploy", "admin/shop", "production", "--yes")
	says(t, run(0, "gates", "ls", "admin/shop", "production"), `GATE +KIND +VERDICT +BY +MEASURES NOW +REASON`, `errors +manual +none`, `bugs +webhook +inconclusive +green: 0 issues, blue: 0 issues +`)
	says(t, run(0, "gates", "set", "admin/shop", "production", "errors", "pass", "--reason", "they are old"), `The gate errors says pass \(event \d+\)`)
	says(t, run(0, "gates", "ls", "admin/shop", "production"), `errors +manual +pass +a person +they are old`)
	var gates []apitypes.DeploymentGate
	if err := json.Unmarshal([]byte(run(0, "--json", "gates", "ls", "admin/shop", "production")), &gates); err != nil || len(gates) != 2 || gates[0].Verdict != "pass" || !gates[0].Manual {
		t.Errorf("%v: %+v", err, gates)
	}
	says(t, run(1, "promote", "admin/shop", "production"), "gates have not passed")
	says(t, run(0, "rollback", "admin/shop", "production"), `Gave up release 2 of admin/shop in production: release 1, in blue, has all of the traffic \(event \d+\)`)
	settled := func() {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !strings.Contains(run(0, "deployments", "ls", "admin/shop"), "rolled back"); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(run(0, "deployments", "ls", "admin/shop"))
			}
		}
	}
	settled()
	run(0, "deploy", "admin/shop", "production", "--release", "2", "--yes")
	says(t, run(0, "promote", "admin/shop", "production", "--reason", "now it is good"), `Release 2 of admin/shop, in green, has all of the traffic in production: promoted by admin \(event \d+\)`)

	var d apitypes.Deployment
	first, _, _ := strings.Cut(run(0, "--json", "deployments", "ls", "admin/shop"), "\n")
	if err := json.Unmarshal([]byte(first), &d); err != nil {
		t.Fatal(err)
	}
	says(t, run(0, "why", d.ID), `→ +\d+ .* admin .*release 2`, "found green healthy")
	slot := *web1.Slot("green")
	for _, container := range []string{web1.Container(slot, "web", 0), web1.Container(slot, "web", 0) + strings.Repeat("a", 52), slot.ID + "-web-0"} {
		says(t, run(0, "why", container), `→ +\d+ .* admin .*release 2`)
	}
	says(t, run(1, "why", strings.Repeat("0", 64)), "nothing of that name")
	says(t, run(1, "why", strings.Repeat("0", 8)+"-0000-7000-8000-"+strings.Repeat("0", 12)+"-blue-web-0"), "nothing of that name")
}

// composeFile is that of an application with one web service.
func composeFile(t *testing.T) string {
	return writeFile(t, t.TempDir()+"/compose.yaml", "services:\n  web:\n    image: hub.test/admin/app:1\n    x-hubledger: {role: web, port: 80, blue: 18080, green: 18081, probe: /}\n")
}

// Containers are listed, and what they write is printed, and followed until they end.
func TestContainerCommands(t *testing.T) {
	hub, web1, run := appsHub(t)
	hub.Client().MustPush(t, "admin/app", "1", registrytest.NewImage("one"))
	hub.CatchUp()
	run(0, "apps", "create", "admin/shop", composeFile(t))
	says(t, run(0, "apps", "ps", "admin/shop", "production"), "No containers: no host has reported one")
	run(0, "apps", "hosts", "set", "admin/shop", "production", "--web", "web1")
	run(0, "deploy", "admin/shop", "production", "--yes")
	id := web1.Container(*web1.Slot("blue"), "web", 0)
	says(t, run(0, "apps", "ps", "admin/shop", "production"), `CONTAINER +HOST +COLOUR`, id+` +web1 +blue +1 +web 0 +running`)
	says(t, run(1, "apps", "logs", "admin/shop", "production"), "web1: the host does not answer such questions now")
	web1.Looks(func(q hosting.Look) hosting.Sight {
		switch {
		case q.Kind == hosting.LookInspect:
			return hosting.Sight{Inspect: &hosting.Inspected{ID: q.Container, Image: "hub.test/admin/app@sha256:00", State: "running", Entrypoint: []string{"/app"}, Command: []string{"serve"}, Variables: []string{"REGION"}, Memory: 64 << 20}}
		case q.Kind == hosting.LookTop:
			return hosting.Sight{Running: true, Top: &hosting.Processes{Titles: []string{"PID", "COMMAND"}, Rows: [][]string{{"17", "/app serve"}}}}
		case q.After == 0:
			return hosting.Sight{Running: true, Cut: true, Lines: []hosting.LogLine{{At: 5, Text: fmt.Sprint("the last ", q.Lines)}}}
		case q.After == 5 && q.Wait == 10*time.Second:
			return hosting.Sight{Running: true, Lines: []hosting.LogLine{{At: 6, Text: "and it goes on"}}}
		}
		return hosting.Sight{}
	})
	says(t, run(0, "apps", "logs", "admin/shop", "production", "-n", "7"), "(?m)^the last 7$", "Earlier lines of web1 blue web 0 are left out")
	says(t, run(0, "apps", "logs", "-f", "admin/shop", "production", "--service", "web", "--colour", "blue"), "(?m)^the last 200\nand it goes on$")
	says(t, run(0, "--json", "apps", "logs", "admin/shop", "production", "--container", id+strings.Repeat("a", 52)), `"container":"`+id+`"`, `"text":"the last 200"`)
	says(t, run(1, "apps", "logs", "admin/shop", "production", "--service", "job"), "production of admin/shop has no such container now")
	says(t, run(0, "apps", "inspect", "admin/shop", "production", id), `runs +/app serve`, `variables +REGION`, `memory +67.1 MB`)
	says(t, run(0, "apps", "top", "admin/shop", "production", id), `PID +COMMAND`, `17 +/app serve`)
	says(t, run(1, "apps", "top", "admin/shop", "production", "000000000000"), "it does not exist")
}
