package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/access"
)

// Every endpoint of every service declares its permission, and is served.
func TestEveryRouteDeclaresItsPermission(t *testing.T) {
	n, base := inProcess(t)
	count := 0
	for _, s := range append(n.services, n.pages()) {
		for _, r := range s.Routes {
			count++
			if r.Permission == access.Undeclared {
				t.Errorf("%s %s of %s declares no permission", r.Method, r.Pattern, s.Name)
			}
			path := strings.NewReplacer("{name...}", "app", "{", "", "}", "").Replace(r.Pattern)
			if a := ask(t, r.Method, base+path, nil, http.Header{"Authorization": {""}}); a.status == 405 || a.status == 404 && strings.Contains(string(a.body), "no such endpoint") {
				t.Errorf("%s %s of %s is not served: %d %s", r.Method, path, s.Name, a.status, a.body)
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d endpoints", count)
	}
}

// Every type of event has one sentence, whatever services a node runs.
func TestEveryEventHasASentence(t *testing.T) {
	n, _ := inProcess(t, "auth")
	if got := n.Services(); !slices.Equal(got, []string{"auth"}) {
		t.Errorf("the node runs %v", got)
	}
	all := declared()
	told := map[string]string{}
	for _, s := range all {
		for _, sentence := range s.Sentences {
			if other, twice := told[sentence.Type]; twice {
				t.Errorf("%s is told by %s and %s", sentence.Type, other, s.Name)
			}
			told[sentence.Type] = s.Name
		}
	}
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		if told[name] == "" {
			t.Errorf("%s is told by no service", name)
		}
		delete(told, name)
		e, err := events.New(typ.Prototype, events.Meta{ID: "0191d1a0-0000-7000-8000-000000000001", Source: "/test", Actor: "tester"})
		if err != nil {
			t.Fatal(err)
		}
		if text := n.sentence(t.Context(), &e); text == e.Subject || text == "" {
			t.Errorf("%s is told as %q", name, text)
		}
	}
	for name := range told {
		t.Errorf("%s has a sentence and is no event", name)
	}
}

// A node neither serves nor opens what it does not run.
func TestChosenServices(t *testing.T) {
	n, base := inProcess(t, "auth")
	var models []string
	for _, m := range n.models {
		models = append(models, m.projection.Name)
	}
	if want := []string{"accounts", "journal"}; !slices.Equal(models, want) || n.stores.Blobs != nil {
		t.Errorf("open are %v and blobs %v, want %v", models, n.stores.Blobs, want)
	}
	for path, want := range map[string]int{"/token": 200, "/v2/": 404, "/api/v1/user": 404, "/healthz": 200, "/readyz": 200, "/metrics": 200} {
		if r := ask(t, "GET", base+path, nil, nil); r.status != want {
			t.Errorf("%s: %d %s, want %d", path, r.status, r.body, want)
		}
	}
	if _, err := Open(t.Context(), Config{Data: t.TempDir(), Services: []string{"auth", "nothing"}, SecretsKeyFile: t.TempDir() + "/key", Reserve: -1,
		Logger: n.Logger, Progress: n.Progress}); err == nil || !strings.Contains(err.Error(), `no service "nothing"; there are`) {
		t.Errorf("a service that is not there: %v", err)
	}
}

// What a service or a process manager counts can be seen at /metrics, once.
func TestMetrics(t *testing.T) {
	_, base := inProcess(t)
	r := ask(t, "GET", base+"/metrics", nil, nil)
	for _, want := range []string{"hubledger_manifests_pushed_total 0", `hubledger_process_manager_dead_letters{manager="pull-counts"} 0`,
		`hubledger_process_manager_leading{manager="erased-secrets"}`, `hubledger_projection_lag_events{projection="images"} 0`} {
		if strings.Count(string(r.body), "\n"+want) != 1 {
			t.Errorf("%d: /metrics lacks %s", r.status, want)
		}
	}
}
