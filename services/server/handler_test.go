package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A request whose body does not arrive is answered and its connection closed, on
// every path, including those that read no body.
func TestSlowBodies(t *testing.T) {
	server := httptest.NewServer(run(t).Impatient(50 * time.Millisecond))
	defer server.Close()
	for _, path := range []string{"/token", "/api/v1/users", "/api/v1/search", "/metrics", "/healthz", "/nothing", "/.well-known/jwks.json", "/hooks/0199d6a5-3c00-7000-8000-000000000001"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ng", path)
		conn.SetReadDeadline(time.Now().Add(time.Minute)) // only ends a test that hangs
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err == nil {
			io.Copy(io.Discard, resp.Body)
		}
		if _, err := in.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: the connection is still there: %v", path, err)
		}
	}
}

// A page of another site cannot change anything, even if its visitor's browser
// remembers a login.
func TestOtherSites(t *testing.T) {
	base := run(t).URL
	for _, c := range []struct {
		method, site string
		refused      bool
	}{{"POST", "cross-site", true}, {"POST", "same-site", true}, {"DELETE", "cross-site", true}, {"POST", "same-origin", false}, {"POST", "", false}, {"GET", "cross-site", false}} {
		r := ask(t, c.method, base+"/api/v1/orgs", strings.NewReader(`{}`), http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {c.site}})
		if got := strings.Contains(string(r.body), "another site"); got != c.refused || got && r.status != http.StatusForbidden {
			t.Errorf("%s from %q: %d %s", c.method, c.site, r.status, r.body)
		}
	}
}

// A path that is not clean leads to the one that is, on this hub.
func TestUncleanPaths(t *testing.T) {
	n := run(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]string{"//v2/app/tags/list?n=1": "/v2/app/tags/list?n=1", "//evil.example.com/..": "/", "/foo/../healthz": "/healthz", "/nothing": ""} {
		req, err := http.NewRequest("GET", n.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque, req.URL.RawQuery, _ = strings.Cut(path, "?")
		req.URL.Opaque = "//" + req.URL.Host + req.URL.Opaque
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Location"); got != want || (resp.StatusCode == 307) != (want != "") {
			t.Errorf("%s: %d to %q, want %q", path, resp.StatusCode, got, want)
		}
	}
}
