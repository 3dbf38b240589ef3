package certificates

import (
	"crypto/x509"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// hostName matches a name that clients compare with those in a certificate
// (RFC 1123). It allows no wildcard, because people are also told to type it.
var hostName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func checkCertificateHost(s string) error {
	if net.ParseIP(s) != nil || len(s) <= 253 && hostName.MatchString(s) {
		return nil
	}
	return fmt.Errorf("%q is neither a host name nor an IP address (no port, no scheme)", s)
}

// certificateHost is a host in the form in which certificateHosts returns it.
func certificateHost(s string) string {
	if ip := net.ParseIP(s); ip != nil {
		return ip.String()
	}
	return strings.ToLower(s)
}

// certificateHosts lists the names and addresses that a certificate is for, the
// one in its subject first.
func certificateHosts(c *x509.Certificate) []string {
	hosts := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	for i, h := range hosts {
		if h == c.Subject.CommonName {
			copy(hosts[1:], hosts[:i])
			hosts[0] = h
		}
	}
	return hosts
}
