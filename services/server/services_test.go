package server_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// Every endpoint of every service declares its permission and its cost, and is served.
func TestEveryRouteDeclaresItself(t *testing.T) {
	n, count := run(t), 0
	for _, s := range n.Served() {
		for _, r := range s.Routes {
			count++
			if r.Permission == access.Undeclared {
				t.Errorf("%s %s of %s declares no permission", r.Method, r.Pattern, s.Name)
			}
			if r.Cost == budget.Undeclared || r.Cost == budget.Light && r.Method != "GET" && r.Permission != access.Open {
				t.Errorf("%s %s of %s declares the cost %s", r.Method, r.Pattern, s.Name, r.Cost)
			}
			path := strings.NewReplacer("{name...}", "app", "{", "", "}", "").Replace(r.Pattern)
			// What would go on for minutes is refused for its bad header.
			if a := ask(t, r.Method, n.URL+path, nil, http.Header{"Authorization": {""}, "Last-Event-Id": {"none"}}); a.status == 405 || a.status == 404 && strings.Contains(string(a.body), "no such endpoint") {
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
	n := run(t, "auth")
	if got := n.Services(); !slices.Equal(got, []string{"auth"}) {
		t.Errorf("the node runs %v", got)
	}
	all := server.Declared()
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
		if text := n.Sentence(t.Context(), &e); text == e.Subject || text == "" {
			t.Errorf("%s is told as %q", name, text)
		}
	}
	for name := range told {
		t.Errorf("%s has a sentence and is no event", name)
	}
}

// A node neither serves nor opens what it does not run.
func TestChosenServices(t *testing.T) {
	n := run(t, "auth")
	if got, want := n.OpenReadModels(), []string{"accounts", "trail", "journal"}; !slices.Equal(got, want) || n.HasBlobs() {
		t.Errorf("open are %v and blobs %t, want %v", got, n.HasBlobs(), want)
	}
	for path, want := range map[string]int{"/token": 200, "/v2/": 404, "/api/v1/user": 404, "/healthz": 200, "/readyz": 200, "/metrics": 200} {
		if r := ask(t, "GET", n.URL+path, nil, nil); r.status != want {
			t.Errorf("%s: %d %s, want %d", path, r.status, r.body, want)
		}
	}
	data := filepath.Join(t.TempDir(), "data")
	if _, err := server.Open(t.Context(), server.Config{Data: data, Services: []string{"auth", "nothing"}, SecretsKeyFile: t.TempDir() + "/key", Reserve: -1,
		Logger: n.Logger, Progress: n.Progress}); err == nil || !strings.Contains(err.Error(), `no service "nothing"; there are`) {
		t.Errorf("a service that is not there: %v", err)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the refused start left a data directory: %v", err)
	}
}

// What a service or a process manager counts can be seen at /metrics, once.
func TestMetrics(t *testing.T) {
	n := run(t)
	n.CatchUp() // with the events that made the first administrator
	r := ask(t, "GET", n.URL+"/metrics", nil, nil)
	for _, want := range []string{"hubledger_manifests_pushed_total 0", `hubledger_process_manager_dead_letters{manager="pull-counts"} 0`,
		`hubledger_process_manager_leading{manager="erased-secrets"}`, `hubledger_projection_lag_events{projection="images"} 0`} {
		if strings.Count(string(r.body), "\n"+want) != 1 {
			t.Errorf("%d: /metrics lacks %s", r.status, want)
		}
	}
}

// A proxy on this machine brings the requests of others, whatever it says of them.
func TestMetricsAreNotForThoseBehindAProxy(t *testing.T) {
	n := run(t)
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded"} {
		if r := ask(t, "GET", n.URL+"/metrics", nil, http.Header{"Authorization": nil, name: {"x"}}); r.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, r.status)
		}
	}
}

// A node that authenticates records refused logins, whatever services it runs.
func TestRefusedLoginsAreRecordedEverywhere(t *testing.T) {
	c := server.Config{Data: t.TempDir(), SecretsKeyFile: t.TempDir() + "/key", Services: []string{"api"}}
	t.Run("refuse", func(t *testing.T) {
		s := servertest.Start(t, c)
		for range 3 {
			r := ask(t, "GET", s.URL+"/api/v1/user", nil, http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("admin:wrong-password"))}})
			if r.status != 401 {
				t.Fatalf("%d %s", r.status, r.body)
			}
		}
	})
	c.Services = []string{"registry"}
	s := servertest.Start(t, c)
	last, err := s.Log().Get(t.Context(), s.LastSeq())
	if err != nil || last.Type() != "logins.refused.v1" {
		t.Errorf("the last event is %v, %v", last, err)
	}
}

// An empty list of services is all of them.
func TestNoServicesNamed(t *testing.T) {
	if got := servertest.Start(t, server.Config{Services: []string{}}).Services(); len(got) < 4 {
		t.Errorf("the node runs %v", got)
	}
}
