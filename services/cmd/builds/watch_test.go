package builds

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// When files have changed the build before is cancelled if it still waits, and not when it
// runs; what has not changed is not built again.
func TestNextBuildOfADirectory(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var mu sync.Mutex
	state, asked := "", ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		const list = "/api/v1/repositories/acme/app/builds"
		var answer any = apitypes.Change{}
		switch {
		case r.Method == http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
			return
		case strings.HasSuffix(r.URL.Path, "/uploads/"):
			asked += "push "
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
			return
		case r.URL.Path == list:
			asked += "queue "
			answer = apitypes.Build{ID: "second", Repository: "acme/app"}
		case r.URL.Path == list+"/first/cancel":
			asked += "cancel "
		case r.URL.Path == list+"/first":
			answer = apitypes.BuildDetails{Build: apitypes.Build{ID: "first", Repository: "acme/app", State: state}}
		default:
			t.Errorf("asked is %s %s", r.Method, r.URL)
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	defer s.Close()
	logins := client.Logins{Current: s.URL, Logins: map[string]client.Login{s.URL: {User: "alice"}}}
	if err := logins.Write(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := Build{Target: console.Target{Server: s.URL}, Dir: dir, Repository: "acme/app"}
	a, err := c.API(&console.Session{Context: t.Context(), Data: console.DefaultData, Out: io.Discard, Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("FROM scratch")
	d, err := c.directory(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.build(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, state, want string }{
		{"FROM scratch", "waiting", ""}, {"FROM scratch AS a", "waiting", "push cancel queue "}, {"FROM scratch AS b", "running", "push queue "}, {"FROM scratch AS c", "ended", "push queue "}} {
		write(step.text)
		mu.Lock()
		state, asked = step.state, ""
		mu.Unlock()
		next, changed, err := d.again(apitypes.Build{ID: "first", Repository: "acme/app"})
		if err != nil || changed != (step.want != "") || changed && next.ID != "second" || asked != step.want {
			t.Errorf("%s, while the build before is %s: %q, %+v, %t, %v", step.text, step.state, asked, next, changed, err)
		}
	}
}
