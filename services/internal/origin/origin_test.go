package origin

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func trusted(t testing.TB, s string) []netip.Prefix {
	t.Helper()
	list, err := ParseTrusted(s)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// through is the origin that a handler sees.
func through(c Config, r *http.Request) (o Origin) {
	Handler(c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { o = Of(r) })).ServeHTTP(httptest.NewRecorder(), r)
	return o
}

func TestOrigin(t *testing.T) {
	type headers = map[string][]string
	for _, c := range []struct {
		name    string
		trusted string
		public  string
		from    string
		host    string
		tls     bool
		headers headers
		want    string // URL, address
	}{
		{name: "plain", from: "192.0.2.1:9", host: "hub:5050", want: "http://hub:5050 192.0.2.1"},
		{name: "TLS", from: "192.0.2.1:9", host: "hub", tls: true, want: "https://hub 192.0.2.1"},
		{name: "IPv4 in IPv6", from: "[::ffff:192.0.2.1]:9", host: "hub", want: "http://hub 192.0.2.1"},
		{name: "zone", from: "[fe80::1%eth0]:9", host: "[fe80::1]:80", want: "http://[fe80::1]:80 fe80::1"},
		{name: "unix socket", from: "@", host: "hub", want: "http://hub invalid IP"},
		{name: "nobody is trusted", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}, "Forwarded": {"for=198.51.100.7;proto=https;host=evil"}},
			want:    "http://hub 127.0.0.1"},
		{name: "another one is trusted", trusted: "10.0.0.0/8", from: "192.0.2.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}}, want: "http://hub 192.0.2.1"},
		{name: "a proxy", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hub.example.com:8443"}},
			want:    "https://hub.example.com:8443 198.51.100.7"},
		{name: "TLS to us, plain HTTP to the proxy", trusted: "loopback", from: "127.0.0.1:9", host: "hub", tls: true,
			headers: headers{"X-Forwarded-Proto": {"http"}}, want: "http://hub 127.0.0.1"},
		{name: "the client invents addresses", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"203.0.113.9, 127.0.0.1, 198.51.100.7"}}, want: "http://hub 198.51.100.7"},
		{name: "two proxies", trusted: "loopback,private", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"203.0.113.9", "198.51.100.7, 10.1.1.1"}}, want: "http://hub 198.51.100.7"},
		{name: "all are trusted", trusted: "loopback,private", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"10.2.2.2, 10.1.1.1"}}, want: "http://hub 10.2.2.2"},
		{name: "what cannot be read ends the chain", trusted: "loopback,private", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"198.51.100.7, unknown, 10.1.1.1"}}, want: "http://hub 10.1.1.1"},
		{name: "empty", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {""}, "X-Forwarded-Proto": {""}, "X-Forwarded-Host": {""}}, want: "http://hub 127.0.0.1"},
		{name: "ports", trusted: "loopback", from: "[::1]:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"[2001:db8::7]:4711"}}, want: "http://hub 2001:db8::7"},
		{name: "mapped", trusted: "::ffff:10.0.0.0/104,loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-For": {"198.51.100.7:80, ::ffff:10.1.1.1"}}, want: "http://hub 198.51.100.7"},
		{name: "the nearest proxy's word", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-Proto": {"http", "https"}, "X-Forwarded-Host": {"evil, hub.example.com"}}, want: "https://hub.example.com 127.0.0.1"},
		{name: "one hop decides all three", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"X-Forwarded-For": {"203.0.113.9, 198.51.100.7, 10.1.1.1"}, "X-Forwarded-Proto": {"http, https", "http"}, "X-Forwarded-Host": {"evil, hub.example.com, inner"}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "the second proxy passes on what the first has set", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"X-Forwarded-For": {"198.51.100.7, 10.1.1.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hub.example.com"}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "the first of two proxies says nothing valid", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"X-Forwarded-For": {"198.51.100.7, 10.1.1.1"}, "X-Forwarded-Proto": {"odd, https"}, "X-Forwarded-Host": {", hub.example.com"}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "a chain that cannot be read ends at the proxy that wrote it", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"X-Forwarded-For": {"198.51.100.7, unknown, 10.1.1.1"}, "X-Forwarded-Proto": {"https, https, http"}, "X-Forwarded-Host": {"evil, hub.example.com, inner"}},
			want:    "https://hub.example.com 10.1.1.1"},
		{name: "port", trusted: "loopback", from: "127.0.0.1:9", host: "hub.example.com",
			headers: headers{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"8443"}}, want: "https://hub.example.com:8443 127.0.0.1"},
		{name: "port of the hop that decides", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"X-Forwarded-For": {"198.51.100.7, 10.1.1.1"}, "X-Forwarded-Proto": {"https, http"}, "X-Forwarded-Host": {"[2001:db8::1], inner"}, "X-Forwarded-Port": {"1, 8443, 8080"}},
			want:    "https://[2001:db8::1]:8443 198.51.100.7"},
		{name: "the host has its port", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-Host": {"hub.example.com:8443"}, "X-Forwarded-Port": {"9000"}}, want: "http://hub.example.com:8443 127.0.0.1"},
		{name: "port of a scheme", trusted: "loopback", from: "127.0.0.1:9", host: "hub.example.com",
			headers: headers{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"80"}}, want: "https://hub.example.com 127.0.0.1"},
		{name: "no port", trusted: "loopback", from: "127.0.0.1:9", host: "hub.example.com",
			headers: headers{"X-Forwarded-Port": {"70000"}}, want: "http://hub.example.com 127.0.0.1"},
		{name: "the port of a client", trusted: "10.0.0.0/8", from: "127.0.0.1:9", host: "hub.example.com",
			headers: headers{"X-Forwarded-Port": {"8443"}}, want: "http://hub.example.com 127.0.0.1"},
		{name: "odd values", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"X-Forwarded-Proto": {"javascript"}, "X-Forwarded-Host": {`a"b`}}, want: "http://hub 127.0.0.1"},
		{name: "RFC 7239", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"Forwarded": {`for=203.0.113.9, For="[2001:db8::7]:4711";Proto=HTTPS;host="hub.example.com:8443";by=127.0.0.1`}},
			want:    "https://hub.example.com:8443 2001:db8::7"},
		{name: "RFC 7239, one hop decides all three", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"Forwarded": {`for=203.0.113.9;host=evil;proto=http, for=198.51.100.7;host="hub.example.com";proto=https`, `for=10.1.1.1;host=inner;proto=http`}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "RFC 7239, the first of two proxies gives only the address", trusted: "loopback,private", from: "127.0.0.1:9", host: "inner",
			headers: headers{"Forwarded": {`for=198.51.100.7, for=10.1.1.1;host=hub.example.com;proto=https`}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "RFC 7239 hidden", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"Forwarded": {`for=198.51.100.7, for=_gazonk;proto=https`}}, want: "https://hub 127.0.0.1"},
		{name: "RFC 7239 broken", trusted: "loopback", from: "127.0.0.1:9", host: "hub",
			headers: headers{"Forwarded": {`for="198.51.100.7;proto=https`, `=;;,"`, `for="1.2.3.4,5.6.7.8"`}}, want: "http://hub 127.0.0.1"},
		{name: "public URL", public: "https://hub.example.com", from: "192.0.2.1:9", host: "10.0.0.1:5050", want: "https://hub.example.com 192.0.2.1"},
		{name: "public URL and proxy", public: "https://hub.example.com", trusted: "loopback", from: "127.0.0.1:9", host: "10.0.0.1:5050",
			headers: headers{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Host": {"other"}, "X-Forwarded-Proto": {"http"}},
			want:    "https://hub.example.com 198.51.100.7"},
		{name: "no host", from: "192.0.2.1:9", want: "http://10.9.9.9:5050 192.0.2.1"},
		{name: "odd host", from: "192.0.2.1:9", host: "hub\",scope=\"x", want: "http://10.9.9.9:5050 192.0.2.1"},
		{name: "host with a user", from: "192.0.2.1:9", host: "a@b", want: "http://10.9.9.9:5050 192.0.2.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			public, err := ParsePublicURL(c.public)
			if err != nil {
				t.Fatal(err)
			}
			local := &net.TCPAddr{IP: net.IPv4(10, 9, 9, 9), Port: 5050}
			r := (&http.Request{RemoteAddr: c.from, Host: c.host, Header: c.headers}).WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local))
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			o := through(Config{PublicURL: public, Trusted: trusted(t, c.trusted)}, r)
			if got := o.URL() + " " + o.Addr.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Of two families of forwarded headers, one must come from the client, and the hub
// cannot tell which. That matters only on connections from trusted proxies.
func TestBothFamilies(t *testing.T) {
	var log bytes.Buffer
	for _, c := range []struct {
		trusted string
		status  int
		told    bool
	}{{"loopback", http.StatusBadRequest, false}, {"", http.StatusOK, true}} {
		log.Reset()
		h := Handler(Config{Trusted: trusted(t, c.trusted), Logger: slog.New(slog.NewTextHandler(&log, nil))}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, family := range []string{"X-Forwarded-For", "X-Forwarded-Port"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = "127.0.0.1:9"
			r.Header = http.Header{"Forwarded": {"for=203.0.113.9"}, family: {"8443"}}
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != c.status {
				t.Errorf("trusted %q: %d", c.trusted, w.Code)
			}
		}
		if n := strings.Count(log.String(), "--trusted-proxies"); n != map[bool]int{true: 1}[c.told] {
			t.Errorf("trusted %q: told %d times", c.trusted, n)
		}
	}
}

func TestParseTrusted(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		" , ":                       "",
		"10.1.2.3":                  "10.1.2.3/32",
		"10.1.2.3/8, 2001:db8::/32": "10.0.0.0/8 2001:db8::/32",
		"loopback":                  "127.0.0.0/8 ::1/128",
		"private,192.0.2.1":         "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 192.0.2.1/32",
		"::ffff:192.0.2.1":          "192.0.2.1/32",
		"0.0.0.0/0":                 "0.0.0.0/0",
	} {
		var got []string
		for _, p := range trusted(t, in) {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"localhost", "10.0.0.0/33", "10.0.0.1:80", "10.0.0.0/8;10.1.0.0/16", "Loopback"} {
		if list, err := ParseTrusted(in); err == nil || !strings.Contains(err.Error(), "neither an address") {
			t.Errorf("%q: %v, %v", in, list, err)
		}
	}
}

func TestParsePublicURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://hub.example.com":       "https://hub.example.com",
		"https://hub.example.com:8443/": "https://hub.example.com:8443",
		"HTTP://[2001:db8::1]:5050":     "http://[2001:db8::1]:5050",
	} {
		if u, err := ParsePublicURL(in); err != nil || u.String() != want {
			t.Errorf("%q: %v, %v", in, u, err)
		}
	}
	for _, in := range []string{"hub.example.com", "ftp://hub", "https://", "https://hub/registry", "https://hub?x", "https://hub?",
		"https://hub#x", "https://me:secret@hub", "https://hub:0", "https://hub:99999", "https://hub:", "https://h\"ub", "https://me:secret@hub:port"} {
		u, err := ParsePublicURL(in)
		if err == nil {
			t.Errorf("%q: %v", in, u)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error of %q repeats the password: %v", in, err)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("127.0.0.1:9", "hub:5050", "198.51.100.7, 10.1.1.1", "https", "hub.example.com", `for="[::1]:4";proto=https;host="a\"b"`)
	f.Add("10.0.0.1:9", "[::1]:80", "", "", "", `for=_x,for="a,b";;=,"`)
	f.Add("192.0.2.1:9", "a\r\nb", "unknown", "http,https", "[::1", `for=1.2.3.4;host=[fe80::1%25eth0]`)
	proxies, err := ParseTrusted("loopback,private")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, from, host, hops, proto, fhost, forwarded string) {
		h := http.Header{"X-Forwarded-For": {hops}, "X-Forwarded-Proto": {proto}, "X-Forwarded-Host": {fhost}}
		if hops == "" {
			h = http.Header{"Forwarded": {forwarded}}
		}
		r := &http.Request{RemoteAddr: from, Host: host, Header: h}
		o := through(Config{Trusted: proxies}, r)
		if o.Scheme != "http" && o.Scheme != "https" {
			t.Fatalf("scheme %q", o.Scheme)
		}
		if strings.ContainsFunc(o.Host, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"'\\/@?#,;<>", c) }) {
			t.Fatalf("host %q", o.Host)
		}
		if u, err := url.Parse(o.URL()); err != nil || u.Host != o.Host || u.Hostname() == "" {
			t.Fatalf("%q does not stand in a URL: %v", o.Host, err)
		}
		alone := through(Config{}, &http.Request{RemoteAddr: from, Host: host})
		if !(Config{Trusted: proxies}).trusts(alone.Addr) && o != alone {
			t.Fatalf("headers of a connection from %s count: %+v", from, o)
		}
		if alone.Addr.IsValid() && !o.Addr.IsValid() {
			t.Fatal("the client's address is lost")
		}
	})
}
