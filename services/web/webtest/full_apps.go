package webtest

import (
	"fmt"
	"net/http"
	"strings"

	"hubledger/services/deployer/hosttest"
	"hubledger/services/internal/hosting"
	"hubledger/services/registry/registrytest"
)

// FullApp is the application of AddFullApps, FullEnvironment its environment, and FullHost a host of it: their
// names are as long as names may be.
var (
	FullApp         = "acme/" + long("an-application-with-a-name-as-long-as-may-be", 40)
	FullEnvironment = long("production-in-the-region-eu-central-1-and-more", 40)
	FullHost        = long("host-000-of-the-rack-with-a-long-name-in-the-data-centre-of-somewhere", 63)
)

func long(text string, n int) string { return strings.TrimRight(text[:min(n, len(text))], "-") }

// FullDeployed are ids of deployments of FullApp: Held waits for a person, with 20 services and 20 gates, and Failed has written as much as is kept of what a container writes.
type FullDeployed struct{ Held, Failed string }

// AddFullApps gives the town FullApp, which has as much as an application may have to show.
func (t *Town) AddFullApps(hosts int) (d FullDeployed) {
	t.T.Helper()
	client, tag := t.Client(), "v1.0.0-"+strings.Repeat("a_long.tag-", 11)
	label := strings.Repeat("long ", 60)
	var compose strings.Builder
	compose.WriteString("services:\n")
	for k := range 20 {
		name := long(fmt.Sprintf("service-%02d-with-a-name-as-long-as-they-may-be", k), 40)
		role := "role: worker"
		if k%2 == 0 {
			role = fmt.Sprintf("role: web, port: 8080, blue: %d, green: %d, probe: /healthz", 18000+2*k, 18001+2*k)
		}
		fmt.Fprintf(&compose, "  %s:\n    image: %s/acme/%s:%s\n    labels: {note: %q, without.a.space: %s}\n    environment: [%s]\n    x-hubledger: {%s}\n", name, dockerHost, name, tag, label, strings.Repeat("x", 300), longKey, role)
		client.MustPush(t.T, "acme/"+name, tag, registrytest.NewImage(name+" 1"))
	}
	var names []string
	for k := range hosts {
		names = append(names, strings.Replace(FullHost, "000", fmt.Sprintf("%03d", k), 1))
	}
	running := hosttest.RunMany(t.Server, names...)
	namespace, name, _ := strings.Cut(FullApp, "/")
	app, env := "/apps/"+FullApp, "/apps/"+FullApp+"/environments/"+FullEnvironment
	t.CatchUp()
	t.Call(http.MethodPost, "/apps/"+namespace, map[string]any{"name": name, "compose": compose.String()})
	t.Call(http.MethodPut, env, nil)
	t.Call(http.MethodPut, env+"/config/"+longKey, map[string]any{"value": label})
	for k := range 60 {
		t.Call(http.MethodPut, env+fmt.Sprintf("/config/SETTING_%02d_%s", k, longKey[:60]), map[string]any{"value": label})
	}
	t.Call(http.MethodPut, env+"/hosts", map[string]any{"web": names, "worker": names})
	gates := make([]map[string]any, 20)
	for k := range gates {
		gates[k] = map[string]any{"name": long(fmt.Sprintf("gate-%02d-with-a-name-as-long-as-they-may-be", k), 40), "kind": "manual"}
	}
	t.Call(http.MethodPut, env+"/policy", map[string]any{"gates": gates})
	deploy := func(release int, until string) string {
		t.Call(http.MethodPost, env+"/deployments", map[string]any{"release": release, "note": label + label})
		id := t.Admin.Get("/api/v1"+env).Is(http.StatusOK).Between(`"deployment":"`, `"`)
		t.AwaitIn(FullApp, id, until)
		return id
	}
	t.Call(http.MethodPost, app+"/releases", map[string]any{"note": label + label})
	deploy(1, "ended")
	for k := range 20 {
		name := long(fmt.Sprintf("service-%02d-with-a-name-as-long-as-they-may-be", k), 40)
		client.MustPush(t.T, "acme/"+name, tag, registrytest.NewImage(name+" 2"))
	}
	t.Call(http.MethodPost, app+"/releases", map[string]any{"note": label})
	running[0].Spoil(func(s *hosting.Seen) {
		if s.Phase == hosting.Run && s.Containers != nil && strings.HasSuffix(s.ID, "-green") {
			s.Healthy, s.Fatal, s.Error = false, true, "the container ends each time: "+label+label+label
			s.Containers[0].ExitCode, s.Containers[0].State, s.Containers[0].Log = 137, "exited", strings.Repeat("2026-11-01T12:00:00Z a line of the log that is rather long, since it has all of a request in it\n", 50)[:4<<10]
			s.Containers[0].HealthLog = strings.Repeat("GET /healthz: connection refused\n", 40)
		}
	})
	d.Failed = deploy(2, "ended")
	running[0].Spoil(nil)
	d.Held = deploy(2, "held")
	for k, verdict := range []string{"fail", "inconclusive", "pass", "pass"} {
		t.Call(http.MethodPost, app+"/deployments/"+d.Held+"/gates/"+fmt.Sprint(gates[k]["name"]), map[string]any{"verdict": verdict, "reason": label + label})
	}
	if hosts > 3 {
		running[1].Leave(true)
		running[2].Spoil(func(s *hosting.Seen) { s.Healthy, s.Error = false, "no space left on device: "+label })
	}
	t.CatchUp()
	return d
}

const longKey = "A_VARIABLE_WITH_A_NAME_AS_LONG_AS_MAY_BE_WHICH_NO_PERSON_WOULD_EVER_WRITE_BUT_A_GENERATOR_OF_CONFIGURATION_MIGHT_DO_SO_SOMEDAY_X"
