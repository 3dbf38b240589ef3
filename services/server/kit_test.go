package server_test

import (
	"io"
	"maps"
	"net/http"
	"testing"

	"hubledger/services/server"
	"hubledger/services/server/servertest"
)

// run runs a hub with the named services, or with all.
func run(t *testing.T, services ...string) *servertest.Server {
	t.Helper()
	return servertest.Start(t, server.Config{Services: services})
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
	req.SetBasicAuth(servertest.Admin, servertest.Password)
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
