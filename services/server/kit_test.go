package server

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"hubledger/events"
)

const adminPassword = "an administrator's password"

// inProcess runs a hub and its HTTP server in the test process, with the named
// services or with all.
func inProcess(t *testing.T, services ...string) (*Node, string) {
	t.Helper()
	n, err := Open(t.Context(), Config{Data: t.TempDir(), Services: services, AdminPassword: adminPassword, DefaultVisibility: events.Private, LeaseTerm: time.Hour,
		SecretsKeyFile: t.TempDir() + "/key", UndeleteWindow: time.Hour, Reserve: -1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Progress: func(string, int64, int64) {}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(n.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return n, server.URL
}

// A reply is a response with its body.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request as the administrator, unless header has another Authorization.
func ask(t testing.TB, method, url string, body io.Reader, header http.Header) reply {
	t.Helper()
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", adminPassword)
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return reply{resp.StatusCode, resp.Header, content}
}
