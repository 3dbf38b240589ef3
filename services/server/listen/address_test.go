package listen

import (
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"testing"
)

// What the first lines of serve name can be used by people as it is.
func TestAddresses(t *testing.T) {
	hub := &x509.Certificate{DNSNames: []string{"localhost", "hub.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(192, 0, 2, 7)}}
	numbers := &x509.Certificate{DNSNames: []string{"localhost", "*.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(192, 0, 2, 7)}}
	for _, c := range []struct {
		listening   string
		certificate *x509.Certificate
		public      *url.URL
		url, docker string
	}{
		{"127.0.0.1:5050", nil, nil, "http://127.0.0.1:5050", "localhost:5050"},
		{"127.0.0.1:80", nil, nil, "http://127.0.0.1", "localhost"},
		{"[::1]:5050", nil, nil, "http://[::1]:5050", "localhost:5050"},
		{"[::]:5050", nil, nil, "http://" + machine() + ":5050", "localhost:5050"},
		{"0.0.0.0:5050", nil, nil, "http://" + machine() + ":5050", "localhost:5050"},
		{"192.0.2.7:5050", nil, nil, "http://192.0.2.7:5050", "192.0.2.7:5050"},
		{"[2001:db8::7]:80", nil, nil, "http://[2001:db8::7]", "[2001:db8::7]"},
		{"[::]:5050", hub, nil, "https://hub.example.com:5050", "hub.example.com:5050"},
		{"[::]:443", hub, nil, "https://hub.example.com", "hub.example.com"},
		{"[::]:5050", numbers, nil, "https://192.0.2.7:5050", "192.0.2.7:5050"},
		{"127.0.0.1:5050", hub, nil, "https://127.0.0.1:5050", "127.0.0.1:5050"},
		{"192.0.2.9:5050", hub, nil, "https://hub.example.com:5050", "hub.example.com:5050"},
		{"[::]:5050", hub, &url.URL{Scheme: "https", Host: "public.example.com"}, "https://public.example.com", "public.example.com"},
	} {
		if url, docker := addresses(c.public, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.listening)), c.certificate); url != c.url || docker != c.docker {
			t.Errorf("%s: %s, %s; want %s, %s", c.listening, url, docker, c.url, c.docker)
		}
	}
}
