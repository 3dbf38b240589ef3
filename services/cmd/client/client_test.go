package client

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

	"hubledger/services/internal/failure"
)

// answering is a client of a server with this handler.
func answering(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := Remote(server.URL, "", Bearer("hlt_secret"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefusalsAreSaidInTheHubsWords(t *testing.T) {
	for _, test := range []struct {
		status      int
		contentType string
		body        string
		want        string
	}{
		{403, "application/problem+json", `{"detail":"only administrators of the hub may do that"}`, "only administrators of the hub may do that"},
		{422, "application/problem+json", `{"detail":"validation failed","errors":[{"location":"body.name","message":"too short"},{"location":"body","message":"odd"}]}`, "validation failed\n  name: too short\n  body: odd"},
		{404, "application/problem+json", `{"detail":"` + failure.Hidden + `"}`, failure.Hidden}, // what it is stands in the path: see TestHidden
		{400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n", "speaks HTTPS only: log in to https://127.0.0.1:"},
		{503, "text/plain; charset=utf-8", "starting: opening the log, 40 %\n", "starting: opening the log, 40 %"},
		{401, "application/problem+json", `{"detail":"log in first"}`, "log in first; type `hubledger login http://"},
		{404, "text/html", "<html>nothing here</html>", "is not a hub, or one of an older version"},
		{502, "text/html", "<html>bad gateway</html>", "the hub answered 502 Bad Gateway"},
		{400, "application/problem+json", "{", "the hub answered 400 Bad Request"},
	} {
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		if _, err := c.Do(t.Context(), "GET", "/users", nil, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d %s: %v, want %q", test.status, test.body, err, test.want)
		}
	}
}

func TestCredentialsFollowNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked %s with Authorization %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	c := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	if _, err := c.Do(t.Context(), "GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), elsewhere.URL) {
		t.Errorf("a redirection: %v", err)
	}
}

func TestPagesAreReadOnlyFromTheSameHub(t *testing.T) {
	for _, next := range []string{"https://evil.example.com/api/v1/things", "//evil.example.com/api/v1/", "/v2/", "@evil.example.com/"} {
		calls := 0
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			json.NewEncoder(w).Encode(map[string]any{"items": []int{1}, "next": next})
		})
		if err := c.Each(t.Context(), "/things", nil, func(json.RawMessage) error { return nil }); err == nil || calls != 1 {
			t.Errorf("the next page at %q is read (%d calls): %v", next, calls, err)
		}
	}
	endless := answering(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"items":[],"next":"/api/v1/things"}`) })
	if err := endless.Each(t.Context(), "/things", nil, func(json.RawMessage) error { return nil }); err == nil {
		t.Error("a list of empty pages has an end")
	}
}

func TestAnswersAreBounded(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		junk := bytes.Repeat([]byte{' '}, 1<<20)
		for range 17 { // MiB: one more than is read
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	})
	if _, err := c.Do(t.Context(), "GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an answer without an end: %v", err)
	}
}

func TestUnreachedHubsAreExplained(t *testing.T) {
	ask := func(base, ca string) error {
		t.Helper()
		c, err := Remote(base, ca, nil)
		if err == nil {
			_, err = c.Do(t.Context(), "GET", "/user", nil, nil)
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
	plain.Close()
	if err := ask(plain.URL, ""); err == nil || !strings.HasPrefix(err.Error(), "no hub answers at "+plain.URL+": ") || strings.Contains(err.Error(), "/api/v1") {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := Operator(t.TempDir()).Do(t.Context(), "GET", "/user", nil, nil); err == nil || !strings.Contains(err.Error(), "no hub is running on") {
		t.Errorf("no socket: %v", err)
	}
	if err := Admin(t.Context(), t.TempDir(), "GET", "/status", nil, nil, nil); err == nil || !strings.Contains(err.Error(), "no hub is running on") || strings.Contains(err.Error(), "login") {
		t.Errorf("no socket, by a command that needs it: %v", err)
	}
}
