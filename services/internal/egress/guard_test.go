package egress

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"140.82.121.4": true, "2606:50c0:8000::153": true, "8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a00:1": false,
		"2002:7f00:1::": false, "2002:c0a8:101::1": false, "2001:db8::1": false, "192.0.2.1": false, "fec0::1": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %t", text, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestGuard(t *testing.T) {
	own := func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("93.184.216.34"), Mask: net.CIDRMask(24, 32)}}, nil
	}
	for _, c := range []struct {
		allowed  []string
		host, to string
		want     bool
	}{
		{nil, "example.com", "93.184.216.35:443", true},
		{nil, "example.com", "93.184.216.34:443", false}, // this machine's
		{nil, "example.com", "10.0.0.1:443", false},
		{nil, "localhost", "127.0.0.1:5050", false},
		{[]string{"git.example.com"}, "git.example.com", "10.0.0.1:443", true},
		{[]string{"Git.Example.com."}, "gIT.example.com.", "10.0.0.1:443", true},
		{[]string{"git.example.com"}, "evil.git.example.com", "10.0.0.1:443", false},
		{[]string{"git.example.com:8443"}, "git.example.com", "10.0.0.1:8443", true},
		{[]string{"git.example.com:8443"}, "git.example.com", "10.0.0.1:5432", false},
		{[]string{"10.1.0.0/16"}, "anything", "10.1.2.3:22", true},
		{[]string{"10.1.0.0/16"}, "anything", "10.2.2.3:22", false},
		{[]string{"10.1.0.0/16"}, "anything", "[::ffff:10.1.2.3]:22", true},
		{[]string{"127.0.0.1:3000"}, "127.0.0.1", "127.0.0.1:3000", true},
		{[]string{"127.0.0.1:3000"}, "rebound.example.com", "127.0.0.1:3000", true},
		{[]string{"127.0.0.1:3000"}, "127.0.0.1", "127.0.0.1:5432", false},
		{[]string{"[fd00::1]:3000"}, "x", "[fd00::1]:3000", true},
		{[]string{"fd00::1"}, "x", "[fd00::2]:3000", false},
	} {
		g, err := NewGuard(c.allowed)
		if err != nil {
			t.Fatal(err)
		}
		g.own = own
		if err := g.judge(c.host, netip.MustParseAddrPort(c.to)); (err == nil) != c.want || err != nil && !errors.Is(err, ErrForbidden) {
			t.Errorf("%v allowed: %s at %s: %v", c.allowed, c.host, c.to, err)
		}
	}
	for _, bad := range []string{"", "a b", "http://x", "x:0", "x:99999", "*.example.com", "10.0.0.0/40", "user@host"} {
		if _, err := NewGuard([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// What a real client connects to is judged, also behind a redirect.
func TestClient(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("credentials follow a redirect")
		}
		io.WriteString(w, "secret")
	}))
	defer target.Close()
	var credentials string
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		credentials, _, _ = r.BasicAuth()
		http.Redirect(w, r, target.URL, http.StatusFound)
	}))
	defer redirecting.Close()

	get := func(allowed ...string) (string, error) {
		g, err := NewGuard(allowed)
		if err != nil {
			t.Fatal(err)
		}
		c := g.NewClient()
		defer c.CloseIdleConnections()
		req, err := http.NewRequest("GET", redirecting.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("alice", "token")
		resp, err := c.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	address := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

	if _, err := get(); !errors.Is(err, ErrForbidden) || credentials != "" {
		t.Errorf("loopback: %v, credentials %q", err, credentials)
	}
	if _, err := get(address(redirecting)); !errors.Is(err, ErrForbidden) {
		t.Errorf("a redirect to loopback: %v", err)
	}
	if body, err := get(address(redirecting), address(target)); err != nil || body != "secret" || credentials != "alice" {
		t.Errorf("both allowed: %q, %v", body, err)
	}

	secure := httptest.NewTLSServer(http.RedirectHandler(target.URL, http.StatusFound))
	defer secure.Close()
	g, err := NewGuard([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	c := g.NewClient()
	defer c.CloseIdleConnections()
	c.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	if resp, err := c.Get(secure.URL); err == nil {
		resp.Body.Close()
		t.Error("a redirect from HTTPS to HTTP is followed")
	}
}

// A refusal says whose flag allows the host, and does not say that an address is itself.
func TestRefusalSaysWhatToDo(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1":       "127.0.0.1 is not a public address; whoever operates the machine that connects (the hub, or the builder) can allow it with its own --allow-hosts 127.0.0.1",
		"git.example.com": "git.example.com is 127.0.0.1, which is not a public address; whoever operates the machine that connects (the hub, or the builder) can allow it with its own --allow-hosts git.example.com",
	} {
		err := (&Guard{}).judge(host, netip.MustParseAddrPort("127.0.0.1:80"))
		if !errors.Is(err, ErrForbidden) || err.Error() != ErrForbidden.Error()+": "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
