package cmd

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/cmd/client"
)

// testSession is a session whose output goes to out.
func testSession(t testing.TB, out io.Writer) *session {
	return &session{ctx: t.Context(), data: defaultData, out: out, err: out}
}

// answering is an api that talks to a server with this handler.
func answering(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	a, err := remote(testSession(t, io.Discard), server.URL, "", client.Bearer("hlt_secret"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestServerURL(t *testing.T) {
	for in, want := range map[string]string{
		"hub.example.com":             "https://hub.example.com",
		"HUB.example.com:8443/":       "https://hub.example.com:8443",
		"localhost:5050":              "http://localhost:5050",
		"127.0.0.1":                   "http://127.0.0.1",
		"[::1]:5050":                  "http://[::1]:5050",
		"https://hub.example.com:443": "https://hub.example.com",
		"http://hub.example.com:80/":  "http://hub.example.com",
		"https://[2001:db8::1]:443":   "https://[2001:db8::1]",
		"http://hub.example.com:443":  "http://hub.example.com:443",
		"https://localhost:5050":      "https://localhost:5050",
	} {
		if got, err := client.ServerURL(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "https://", "ftp://hub", "https://me:secret@hub", "https://hub/path", "https://hub?q", "ht!tp://x", "https://hub:port", "a b"} {
		if got, err := client.ServerURL(in); err == nil {
			t.Errorf("%q: %q", in, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats the password: %v", in, err)
		}
	}
}

func TestRefusalsAreSaidInTheHubsWords(t *testing.T) {
	for _, c := range []struct {
		status      int
		contentType string
		body        string
		want        string
	}{
		{403, "application/problem+json", `{"detail":"only administrators of the hub may do that"}`, "only administrators of the hub may do that"},
		{422, "application/problem+json", `{"detail":"validation failed","errors":[{"location":"body.name","message":"too short"},{"location":"body","message":"odd"}]}`, "validation failed: name: too short; body: odd"},
		{503, "text/plain; charset=utf-8", "starting: opening the log, 40 %\n", "starting: opening the log, 40 %"},
		{401, "application/problem+json", `{"detail":"log in first"}`, "log in first; type `hubledger login http://"},
		{404, "text/html", "<html>nothing here</html>", "is not a hub, or one of an older version"},
		{502, "text/html", "<html>bad gateway</html>", "the hub answered 502 Bad Gateway"},
		{400, "application/problem+json", "{", "the hub answered 400 Bad Request"},
	} {
		a := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		if _, err := a.do("GET", "/users", nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: %v, want %q", c.status, c.body, err, c.want)
		}
	}
}

func TestCredentialsFollowNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked %s with Authorization %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	a := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	if _, err := a.do("GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), elsewhere.URL) {
		t.Errorf("a redirection: %v", err)
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	var out bytes.Buffer
	a := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"items":[{"name":"a","more":1},{"name":"b"}],"next":"/api/v1/things?limit=100&cursor=2"}`)
		case "2":
			fmt.Fprint(w, `{"items":[{"name":"c"}]}`)
		}
	})
	a.s.out = &out
	row := func(v struct{ Name string }) []string { return []string{v.Name} }
	if err := list(a, "/things", paged(), "none", []string{"NAME"}, row); err != nil || out.String() != "NAME\na\nb\nc\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	a.s.json = true
	if err := list(a, "/things", paged(), "none", nil, row); err != nil || out.String() != "{\"name\":\"a\",\"more\":1}\n{\"name\":\"b\"}\n{\"name\":\"c\"}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	for _, next := range []string{"https://evil.example.com/api/v1/things", "//evil.example.com/api/v1/", "/v2/", "@evil.example.com/"} {
		calls := 0
		a := answering(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			json.NewEncoder(w).Encode(map[string]any{"items": []int{1}, "next": next})
		})
		if err := a.each("/things", nil, func(json.RawMessage) error { return nil }); err == nil || calls != 1 {
			t.Errorf("the next page at %q is read (%d calls): %v", next, calls, err)
		}
	}
	endless := answering(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"items":[],"next":"/api/v1/things"}`) })
	if err := endless.each("/things", nil, func(json.RawMessage) error { return nil }); err == nil {
		t.Error("a list of empty pages has an end")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	a := answering(t, func(w http.ResponseWriter, r *http.Request) {
		junk := bytes.Repeat([]byte{' '}, 1<<20)
		for range 17 { // MiB: one more than is read
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	})
	if _, err := a.do("GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an answer without an end: %v", err)
	}
}

func TestUnreachedHubsAreExplained(t *testing.T) {
	ask := func(base, ca string) error {
		t.Helper()
		a, err := remote(testSession(t, io.Discard), base, ca, nil)
		if err == nil {
			_, err = a.do("GET", "/user", nil, nil)
		}
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{}") })
	plain := httptest.NewServer(handler)
	defer plain.Close()
	if err := ask(strings.Replace(plain.URL, "http:", "https:", 1), ""); err == nil || !strings.Contains(err.Error(), "speaks plain HTTP") {
		t.Errorf("https to a plain server: %v", err)
	}
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	defer secure.Close()
	if err := ask(secure.URL, ""); err == nil || !strings.Contains(err.Error(), "--ca") {
		t.Errorf("an unknown authority: %v", err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := ask(secure.URL, string(ca)); err != nil {
		t.Errorf("a known authority: %v", err)
	}
	if err := ask(secure.URL, "nonsense"); err == nil || !strings.Contains(err.Error(), "--ca") {
		t.Errorf("an authority that is none: %v", err)
	}
	s := testSession(t, io.Discard)
	s.data = t.TempDir()
	if _, err := operator(s).do("GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), "no hub is running on") {
		t.Errorf("no socket: %v", err)
	}
}
