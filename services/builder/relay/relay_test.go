package relay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// tokens gives a new token for each question.
type tokens struct {
	mu    sync.Mutex
	asked []string
	lasts time.Duration
	err   error
}

func (s *tokens) Token(_ context.Context, repository string, push bool) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprint(repository, push))
	return fmt.Sprint("token", len(s.asked)), time.Now().Add(s.lasts), s.err
}

// A world is a relay before a hub that says what it was asked.
type world struct {
	t      *testing.T
	relay  *Relay
	url    string
	tokens *tokens
	asked  chan *http.Request
}

func newWorld(t *testing.T, hub http.HandlerFunc) *world {
	w := &world{t: t, tokens: &tokens{lasts: time.Hour}, asked: make(chan *http.Request, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked <- r
		hub(rw, r)
	}))
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.relay = New(Config{Hub: to, Name: "hub.example.com", Repository: "alice/app", Cache: "buildcache", Password: "of the build", Credentials: w.tokens, Logger: slog.New(slog.DiscardHandler)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go w.relay.Serve(l)
	t.Cleanup(w.relay.Close)
	w.url = "http://" + l.Addr().String()
	return w
}

func (w *world) do(method, path string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.SetBasicAuth(User, "of the build")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(body)
}

// A build asks for repositories, and writes to its own only.
func TestPaths(t *testing.T) {
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "answer") })
	for request, want := range map[string]int{
		"GET /v2/": 200, "GET /v2/library/busybox/manifests/latest?ns=docker.io": 200, "HEAD /v2/bob/base/blobs/sha256:aa": 200,
		"GET /v2/alice/app/referrers/sha256:aa": 200, "POST /v2/alice/app/blobs/uploads/?mount=x&from=y": 200, "PUT /v2/alice/app/manifests/sha256:aa": 200,
		"PATCH /v2/alice/app/blobs/uploads/id":   200,
		"PUT /v2/alice/app/manifests/buildcache": 200, "PUT /v2/alice/app/manifests/latest": 403, "PUT /v2/alice/app/manifests/sha256:aa?tag=latest": 403,
		"PUT /v2/bob/base/manifests/latest": 403, "POST /v2/alice/app2/blobs/uploads/": 403, "DELETE /v2/alice/app/manifests/sha256:aa": 403,
		"GET /api/v1/users": 403, "GET /token": 403, "GET /": 403, "GET /metrics": 403, "GET /v2/_catalog": 403, "GET /v2/users/login": 403,
		"POST /v2/": 403, "GET /v2/alice/app/manifests/../../../../api/v1/users": 403, "GET /v2/alice/app/blobs/%2e%2e/%2e%2e": 403,
		"PUT /v2/bob/base/blobs/uploads/%2e%2e%2f..%2f..%2falice%2fapp/manifests/1": 403, "GET /v2/a%2fb/manifests/1": 403, "GET //v2/": 403,
	} {
		method, path, _ := strings.Cut(request, " ")
		resp, _ := w.do(method, path)
		if resp.StatusCode != want {
			t.Errorf("%s: %s", request, resp.Status)
		}
		select {
		case r := <-w.asked:
			if want != 200 || r.Host != "hub.example.com" || strings.HasPrefix(r.Header.Get("Authorization"), "Basic") {
				t.Errorf("%s reached the hub as %s of %s with %q", request, r.URL, r.Host, r.Header.Get("Authorization"))
			}
		default:
			if want == 200 {
				t.Errorf("%s did not reach the hub", request)
			}
		}
	}
}

// A token is asked for each repository, and again shortly before it ends.
func TestTokens(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) {})
	get := func(path, want string) {
		t.Helper()
		w.do("GET", path)
		if r := <-w.asked; r.Header.Get("Authorization") != want {
			t.Errorf("%s: %q, want %q", path, r.Header.Get("Authorization"), want)
		}
	}
	get("/v2/bob/base/manifests/1", "Bearer token1")
	get("/v2/bob/base/blobs/x", "Bearer token1")
	get("/v2/alice/app/blobs/x", "Bearer token2")
	w.tokens.lasts = early
	get("/v2/carol/base/blobs/x", "Bearer token3")
	get("/v2/carol/base/blobs/x", "Bearer token4")
	get("/v2/", "")
	w.tokens.err = errors.New("the builder was revoked")
	get("/v2/dave/base/blobs/x", "")
	if f, ok := w.relay.Refused(); !ok || !strings.Contains(f.String(), "revoked") {
		t.Errorf("%+v", f)
	}
	if got := strings.Join(w.tokens.asked, " "); got != "bob/basefalse alice/apptrue carol/basefalse carol/basefalse dave/basefalse" {
		t.Error(got)
	}
}

// What the hub says is told, and leads nowhere else.
func TestAnswers(t *testing.T) {
	status, body := 0, ""
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "https://hub.example.com/v2/alice/app/blobs/uploads/x?state=y")
		rw.Header().Set("Set-Cookie", "a=b")
		rw.Header().Set("WWW-Authenticate", "Bearer realm=x")
		rw.WriteHeader(status)
		if r.Method != http.MethodHead {
			io.WriteString(rw, body)
		}
	})
	status = 202
	resp, _ := w.do("POST", "/v2/alice/app/blobs/uploads/")
	<-w.asked
	if _, refused := w.relay.Refused(); refused || resp.Header.Get("Location") != "/v2/alice/app/blobs/uploads/x?state=y" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("%v", resp.Header)
	}
	status, body = 404, ""
	w.do("GET", "/v2/bob/base/manifests/1")
	<-w.asked
	if f, ok := w.relay.Missing("bob/base", "1"); !ok || f.Status != 404 {
		t.Errorf("%+v", f)
	}
	if _, ok := w.relay.Missing("bob/base", "2"); ok {
		t.Error("what was not asked for is missing")
	}
	status, body = 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`
	resp, _ = w.do("HEAD", "/v2/bob/base/manifests/2")
	<-w.asked
	<-w.asked
	if f, _ := w.relay.Missing("bob/base", "2"); f.String() != "UNAUTHORIZED: authentication required" || resp.StatusCode != 403 || resp.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%+v, %s", f, resp.Status)
	}
	if f, ok := w.relay.Refused(); ok {
		t.Errorf("a base image is no refusal: %+v", f)
	}
	status, body = 413, `{"errors":[{"code":"DENIED","message":"quota: `+strings.Repeat("é", 5000)+`"}]}`
	resp, got := w.do("PUT", "/v2/alice/app/manifests/sha256:aa")
	<-w.asked
	if f, _ := w.relay.Refused(); resp.StatusCode != 413 || got != body || !strings.HasPrefix(f.String(), "DENIED: quota: é") || len(f.Message) > maxMessage+4 {
		t.Errorf("%s, %d bytes: %.100s", resp.Status, len(got), f)
	}
	status, body = 500, strings.Repeat("<html>", 100_000)
	if _, got := w.do("PUT", "/v2/alice/app/manifests/sha256:aa"); got != body {
		t.Errorf("%d bytes", len(got))
	}
	<-w.asked
	if f, _ := w.relay.Refused(); f.String() != "the registry answered 500 Internal Server Error" {
		t.Error(f)
	}
}

// A hub that does not answer is told as that.
func TestNoHub(t *testing.T) {
	w := newWorld(t, nil)
	w.relay.config.Hub = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	resp, body := w.do("PUT", "/v2/alice/app/manifests/sha256:aa")
	if f, _ := w.relay.Refused(); resp.StatusCode != 502 || !strings.Contains(body, "UNAVAILABLE") || f.String() != "the hub does not answer" {
		t.Errorf("%s %s %s", resp.Status, body, f)
	}
}

// Only BuildKit is served, and no step of the build.
func TestPassword(t *testing.T) {
	w := newWorld(t, func(http.ResponseWriter, *http.Request) { t.Error("the hub was asked") })
	for _, header := range []string{"", "Bearer token", "Basic " + base64.StdEncoding.EncodeToString([]byte(User+":")), "Basic " + base64.StdEncoding.EncodeToString([]byte("x:of the build"))} {
		req, err := http.NewRequest("GET", w.url+"/v2/bob/base/manifests/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
			t.Errorf("%q: %s", header, resp.Status)
		}
	}
}

// The relay speaks TLS to the hub.
func TestTLS(t *testing.T) {
	w := newWorld(t, nil)
	hub := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "answer") }))
	defer hub.Close()
	to, err := url.Parse(hub.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.relay.config.Hub = to
	if resp, _ := w.do("GET", "/v2/"); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a hub of an unknown authority: %s", resp.Status)
	}
	w.relay.transport.TLSClientConfig = hub.Client().Transport.(*http.Transport).TLSClientConfig
	if resp, body := w.do("GET", "/v2/"); resp.StatusCode != http.StatusOK || body != "answer" {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

// What the hub has elsewhere is brought, without credentials; writes go nowhere else.
func TestElsewhere(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "signature=x" {
			t.Errorf("%s with %v", r.URL, r.Header)
		}
		http.ServeContent(rw, r, "", time.Time{}, strings.NewReader("the layer"))
	}))
	defer store.Close()
	at := store.URL + "/layer?signature=x"
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, at, http.StatusTemporaryRedirect) })
	if resp, body := w.do("GET", "/v2/bob/base/blobs/x"); resp.StatusCode != 200 || body != "the layer" || resp.Header.Get("Location") != "" {
		t.Errorf("%s: %q, %v", resp.Status, body, resp.Header)
	}
	if resp, body := w.do("HEAD", "/v2/bob/base/blobs/x"); resp.StatusCode != 200 || body != "" || resp.ContentLength != 9 {
		t.Errorf("%s: %q, %v", resp.Status, body, resp.Header)
	}
	if resp, _ := w.do("PUT", "/v2/alice/app/manifests/sha256:aa"); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a write that leads elsewhere: %s", resp.Status)
	}
	at = "http://127.0.0.1:1/layer"
	if resp, _ := w.do("GET", "/v2/bob/base/blobs/x"); resp.StatusCode != http.StatusBadGateway {
		t.Errorf("a store that does not answer: %s", resp.Status)
	}
}

// A build that pushes by tags pushes by digest, and reads under a tag what it has
// pushed as that. Other repositories, and builds that do not, are as before.
func TestTags(t *testing.T) {
	manifest := `{"schemaVersion":2}`
	d := digest.FromString(manifest).String()
	refusing := false
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPut {
			if string(body) != manifest {
				t.Errorf("the hub got %q", body)
			}
			rw.WriteHeader(map[bool]int{false: http.StatusCreated, true: http.StatusTooManyRequests}[refusing])
		}
	})
	w.relay.config.Tags = true
	put := func(path, body string) int {
		req, err := http.NewRequest(http.MethodPut, w.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(User, "of the build")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	asked := func() string {
		select {
		case r := <-w.asked:
			return r.Method + " " + r.URL.String()
		default:
			return ""
		}
	}
	w.do("GET", "/v2/alice/app/manifests/1.0")
	if got := asked(); got != "GET /v2/alice/app/manifests/1.0" {
		t.Errorf("before it is pushed a tag is the hub's: %s", got)
	}
	refusing = true
	if code := put("/v2/alice/app/manifests/1.0", manifest); code != 429 || len(w.relay.Pushed()) != 0 {
		t.Errorf("refused by the hub: %d, %v", code, w.relay.Pushed())
	}
	asked()
	refusing = false
	if code := put("/v2/alice/app/manifests/1.0", manifest); code != 201 || asked() != "PUT /v2/alice/app/manifests/"+d || w.relay.Pushed()["1.0"] != d {
		t.Errorf("%d, %v", code, w.relay.Pushed())
	}
	w.do("HEAD", "/v2/alice/app/manifests/1.0")
	if got := asked(); got != "HEAD /v2/alice/app/manifests/"+d {
		t.Errorf("after it: %s", got)
	}
	for path, body := range map[string]string{"/v2/bob/base/manifests/1.0": manifest, "/v2/alice/app/manifests/1.0?tag=latest": manifest,
		"/v2/alice/app/manifests/-x": manifest, "/v2/alice/app/manifests/2.0": strings.Repeat("x", maxManifest+1)} {
		if code := put(path, body); code != 403 || strings.Contains(asked(), "/1.0") {
			t.Errorf("%s: %d", path, code)
		}
	}
	for n := range maxTags {
		put(fmt.Sprintf("/v2/alice/app/manifests/many%d", n), manifest)
		asked()
	}
	if code := put("/v2/alice/app/manifests/more", manifest); code != 403 || len(w.relay.Pushed()) != maxTags {
		t.Errorf("%d, %d tags", code, len(w.relay.Pushed()))
	}
}

// The relay of a build that pushes by tags remembers what was pulled: by its tag, once, and
// not what an index led to or the build has pushed itself.
func TestPulled(t *testing.T) {
	d := func(name string) string { return digest.FromString(name).String() }
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		_, reference, _ := strings.Cut(r.URL.Path, "/manifests/")
		switch {
		case r.Method == http.MethodPut:
			rw.WriteHeader(http.StatusCreated)
			return
		case reference == "none":
			rw.WriteHeader(http.StatusNotFound)
		case digest.Digest(reference).Validate() == nil:
			rw.Header().Set("Docker-Content-Digest", reference)
		default:
			rw.Header().Set("Docker-Content-Digest", d(reference))
		}
		if reference == "index" {
			fmt.Fprintf(rw, `{"manifests":[{"digest":%q}]}`, d("child"))
		}
	})
	w.relay.config.Tags = true
	for _, request := range []string{"HEAD /v2/library/busybox/manifests/1", "GET /v2/library/busybox/manifests/" + d("1"), "GET /v2/library/busybox/manifests/1",
		"GET /v2/bob/base/manifests/index", "GET /v2/bob/base/manifests/" + d("child"), "GET /v2/carol/base/manifests/" + d("child"), "GET /v2/bob/base/manifests/none",
		"GET /v2/bob/base/blobs/" + d("x"), "PUT /v2/alice/app/manifests/mine", "GET /v2/alice/app/manifests/mine", "GET /v2/alice/app/manifests/" + d("")} {
		method, path, _ := strings.Cut(request, " ")
		_, body := w.do(method, path)
		<-w.asked
		if path == "/v2/bob/base/manifests/index" && !strings.Contains(body, d("child")) {
			t.Errorf("the answer is %q", body)
		}
	}
	var got []string
	for _, p := range w.relay.Pulled() {
		got = append(got, p.Repository+" "+p.Tag+" "+p.Digest)
	}
	want := []string{"bob/base index " + d("index"), "carol/base  " + d("child"), "library/busybox 1 " + d("1")}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("pulled were\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
