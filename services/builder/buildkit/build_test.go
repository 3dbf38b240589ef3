package buildkit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

const twoSteps = "# syntax=docker/dockerfile:1\nARG GREETING=none\nFROM REGISTRY/admin/base:1 AS one\nARG GREETING\n" +
	"RUN write /message hello\nRUN env GREETING\nRUN echo building\nFROM scratch\nCOPY --from=one /message /\nCOPY file /\nFROM scratch AS never\nCOPY nothing /\n"

// A build with its arguments, labels and target is pushed by digest, without a tag.
func TestBuild(t *testing.T) {
	w := newWorld(t)
	s := w.spec(strings.Replace(twoSteps, "FROM scratch\n", "FROM scratch AS wanted\n", 1), "file", "content")
	s.Image, s.Target = w.name+"/admin/app", "wanted"
	s.Args = map[string]string{"GREETING": "a,b=c \"d\""}
	s.Labels = map[string]string{"org.example.label": "x,y"}
	got := w.run(s).succeeds(t)
	if got.log != "a,b=c \"d\"\nbuilding\n" {
		t.Errorf("the log is %q", got.log)
	}
	got.ordered(t)
	image := w.content("admin/app", got.result.Digest)
	for _, part := range []string{"hello", "content", `"org.example.label":"x,y"`, v1.MediaTypeImageManifest} {
		if !strings.Contains(image, part) {
			t.Errorf("the image has no %q", part)
		}
	}
	if tags := string(w.client.Must(t, "GET", "/v2/admin/app/tags/list", nil).Body); !strings.Contains(tags, `"tags":[]`) && !strings.Contains(tags, `"tags":null`) {
		t.Errorf("it has tags: %s", tags)
	}
}

// Steps begin and end once, and are numbered as they begin.
func (g told) ordered(t *testing.T) {
	t.Helper()
	state, last := map[int]driver.EventKind{}, 0
	for _, e := range g.events {
		switch e.Kind {
		case driver.Began, driver.Cached:
			if e.Step != last+1 || e.Name == "" {
				t.Errorf("%+v after step %d", e, last)
			}
			last = e.Step
		case driver.Ended, driver.Failed:
			if state[e.Step] != driver.Began {
				t.Errorf("%+v after %q", e, state[e.Step])
			}
		case driver.Log, driver.Warned:
			continue
		}
		state[e.Step] = e.Kind
	}
	for n, kind := range state {
		if kind == driver.Began {
			t.Errorf("step %d does not end", n)
		}
	}
}

// What a build has pushed is pulled by its digest with crane.
func TestBuildIsPulled(t *testing.T) {
	crane := filepath.Join("..", "..", "..", ".tmp", "bin", "crane")
	if _, err := os.Stat(crane); err != nil {
		if crane, err = exec.LookPath("crane"); err != nil {
			missing(t, "crane is not installed: go tool -modfile=tools/go.mod task clients")
		}
	}
	w := newWorld(t)
	s := w.spec("FROM scratch\nCOPY file /dir/\n", "file", "content")
	s.Image = w.name + "/admin/app"
	got := w.run(s).succeeds(t)
	config := t.TempDir()
	login, err := json.Marshal(map[string]any{"auths": map[string]any{w.name: map[string]string{"username": w.client.User, "password": w.client.Password}}})
	if err := errors.Join(err, os.WriteFile(filepath.Join(config, "config.json"), login, 0o600)); err != nil {
		t.Fatal(err)
	}
	export := exec.Command("sh", "-c", crane+" export "+s.Image+"@"+got.result.Digest+" - | tar -xO dir/file")
	export.Env = append(os.Environ(), "DOCKER_CONFIG="+config)
	if out, err := export.Output(); err != nil || string(out) != "content" {
		t.Errorf("%q, %v", out, err)
	}
}

// The same build again takes its layers from the cache in the repository.
func TestCache(t *testing.T) {
	w := newWorld(t)
	s := w.spec(fromBase+"COPY file /\nRUN write /one x\n", "file", "content")
	s.Image, s.Cache = w.name+"/admin/app", "buildcache"
	w.run(s).succeeds(t)
	second := w.run(s).succeeds(t)
	second.ordered(t)
	var cached []string
	for _, e := range second.events {
		if e.Kind == driver.Cached {
			cached = append(cached, e.Name)
		}
	}
	if !slices.ContainsFunc(cached, func(name string) bool { return strings.Contains(name, "RUN write") }) {
		t.Errorf("cached are %q\n%s", cached, second)
	}
}

// The first build has no cache. That is no failure: what fails is told as ever.
func TestNoCacheYet(t *testing.T) {
	w := newWorld(t)
	s := w.spec(fromBase + "RUN exit 7\n")
	s.Image, s.Cache = w.name+"/admin/app", "buildcache"
	got := w.run(s)
	got.fails(t, driver.StepFailed, "exit code: 7")
	for _, e := range got.events {
		if e.Kind == driver.Failed && !strings.Contains(e.Text, "exit code: 7") {
			t.Errorf("it says that something else failed: %s", e.Text)
		}
	}
}

// An image that the registry refuses is told in the registry's own words.
// A registry that fails in the middle of a push is tried again; one that goes on failing, or
// whose quota is used up by then, fails the build with its own words, and nothing is named.
func TestPushBreaks(t *testing.T) {
	w := newWorld(t)
	var answer atomic.Pointer[func(path string) (status int, body string)] // of uploads and manifests; 0: the hub's own
	through := httputil.NewSingleHostReverseProxy(w.config.Hub)
	between := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if f := answer.Load(); f != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
			if status, body := (*f)(r.URL.Path); status != 0 {
				http.Error(rw, body, status)
				return
			}
		}
		through.ServeHTTP(rw, r)
	}))
	defer between.Close()
	hub, err := url.Parse(between.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.config.Hub, w.config.Dir = hub, filepath.Join(t.TempDir(), "breaking")
	w.dir, w.driver = w.config.Dir, w.open()
	const full = `{"errors":[{"code":"DENIED","message":"the quota of the namespace admin is used up"}]}`
	var asked atomic.Int64
	for name, c := range map[string]struct {
		answer func(path string) (int, string)
		want   string // "": the build succeeds
	}{
		"once": {func(path string) (int, string) {
			if strings.Contains(path, "/blobs/uploads/") && asked.Add(1) == 2 {
				return 503, ""
			}
			return 0, ""
		}, ""},
		"for ever": {func(path string) (int, string) {
			if strings.Contains(path, "/manifests/") {
				return 500, ""
			}
			return 0, ""
		}, "500 Internal Server Error"},
		"quota": {func(path string) (int, string) {
			if strings.Contains(path, "/blobs/uploads/") && asked.Add(1) > 2 {
				return 403, full
			}
			return 0, ""
		}, "the quota of the namespace admin is used up"},
	} {
		asked.Store(0)
		answer.Store(&c.answer)
		s := w.spec("FROM scratch\nCOPY file /\nCOPY file /again\n", "file", name)
		s.Image = w.name + "/admin/app"
		if got := w.run(s); c.want == "" {
			got.succeeds(t)
		} else {
			got.fails(t, driver.Push, c.want)
		}
		w.nothingLeft()
	}
}

func TestPushRefused(t *testing.T) {
	w := newWorld(t)
	s := w.spec("FROM scratch\nCOPY file /\n", "file", "content")
	s.Image = w.name + "/stranger/app"
	w.run(s).fails(t, driver.Push, "DENIED: ")

	w.config.Dir, w.config.Credentials = filepath.Join(t.TempDir(), "anonymous"), func(driver.Spec) relay.Credentials { return nil }
	w.dir, w.driver = w.config.Dir, w.open()
	s.Image = w.name + "/admin/app"
	w.run(s).fails(t, driver.Push, "UNAUTHORIZED: ")
	s = w.spec(fromBase)
	w.run(s).fails(t, driver.BaseImage, "which has no admin/base:1 that this build may pull: push it")

	s.Image = "registry.example.com/admin/app"
	if err := w.run(s).err; err == nil || !strings.Contains(err.Error(), "pushes to "+w.name+" only") {
		t.Error(err)
	}
}

// Context and Dockerfile may be links, but never lead out of the checkout, and a link
// in the context is copied as one.
func TestCheckout(t *testing.T) {
	w := newWorld(t)
	outside := checkout(t, "Dockerfile", "FROM scratch\nCOPY secret /\n", "secret", "planted")
	s := w.spec("FROM scratch\nCOPY . /\n", "sub/dir/Dockerfile", "FROM scratch\nCOPY here /\n", "sub/dir/here", "found")
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(s.Checkout, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("sub/dir", "inside")
	link(outside, "outside")
	link("../../../../../../../../../.."+outside, "relative")
	link(filepath.Join(outside, "secret"), "secret")
	link("/etc/shadow", "shadow")
	link("/proc/self/root", "root")
	for _, c := range []struct {
		context, dockerfile string
		kind                driver.Kind
	}{
		{"outside", "", driver.Source}, {"relative", "", driver.Source}, {"..", "", driver.Source}, {"sub/../..", "", driver.Source},
		{"root", "", driver.Source}, {"", "outside/Dockerfile", driver.Dockerfile}, {"", "../x", driver.Dockerfile}, {"", "shadow", driver.Dockerfile},
		{"none", "Dockerfile", driver.Source}, {"Dockerfile", "Dockerfile", driver.Source}, {"", "sub", driver.Dockerfile}, {"sub\x00", "", driver.Source},
		{"sub", "", driver.Dockerfile},
	} {
		s.Context, s.Dockerfile = c.context, c.dockerfile
		w.run(s).fails(t, c.kind, "")
	}
	s.Image = w.name + "/admin/app"
	s.Context, s.Dockerfile = "/inside/", ""
	if image := w.content("admin/app", w.run(s).succeeds(t).result.Digest); !strings.Contains(image, "found") {
		t.Error("the context is not the link's")
	}
	s.Context, s.Dockerfile = "", ""
	if image := w.content("admin/app", w.run(s).succeeds(t).result.Digest); strings.Contains(image, "planted") || !strings.Contains(image, "/etc/shadow") {
		t.Error("a link was followed, or is not there")
	}
}
