package listen

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"hubledger/services/internal/origin"
)

// addresses are how people reach the node: a URL, and the host that they type in
// docker commands. The public URL comes first. An address that is none, such as
// 0.0.0.0, is replaced by a name of the certificate or by that of the machine;
// docker speaks plain HTTP with this machine only, so there it is localhost.
func addresses(public *url.URL, listening net.Addr, certificate *x509.Certificate) (address, docker string) {
	if public != nil {
		return public.String(), public.Host
	}
	ip, port := netip.Addr{}, ""
	if at, err := netip.ParseAddrPort(listening.String()); err == nil {
		ip = at.Addr().Unmap()
	}
	_, port, _ = net.SplitHostPort(listening.String())
	host := ip.String()
	if certificate != nil {
		if name := nameOf(certificate); name != "" && (ip.IsUnspecified() || certificate.VerifyHostname(host) != nil) {
			host = name
		}
		host = withoutPort(host, port, "443")
		return "https://" + host, host
	}
	docker = host
	if ip.IsUnspecified() {
		host = machine()
	}
	if ip.IsUnspecified() || ip.IsLoopback() {
		docker = "localhost"
	}
	return "http://" + withoutPort(host, port, "80"), withoutPort(docker, port, "80")
}

// withoutPort is host and port, without a port that clients take by themselves.
func withoutPort(host, port, usual string) string {
	if port != usual {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// nameOf is the name or address of a certificate by which other machines reach
// this one, else any, else "".
func nameOf(certificate *x509.Certificate) string {
	var other string
	for _, name := range certificate.DNSNames {
		switch {
		case strings.HasPrefix(name, "*"):
		case origin.IsLoopback(name):
			other = name
		default:
			return name
		}
	}
	for _, ip := range certificate.IPAddresses {
		if !ip.IsLoopback() {
			return ip.String()
		}
	}
	return other
}

// machine is this machine's name, or localhost if it has none.
func machine() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// certificateOf is the certificate that a configuration serves, nil for none.
func certificateOf(c *tls.Config) *x509.Certificate {
	if c == nil || c.GetCertificate == nil {
		return nil
	}
	served, err := c.GetCertificate(nil)
	if err != nil || served == nil {
		return nil
	}
	return served.Leaf
}
