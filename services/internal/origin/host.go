package origin

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxHost is a DNS name's 253 bytes (RFC 1035) with a port.
const maxHost = 253 + len(":65535")

// validHost says whether s is a host, with or without a port, that can stand
// in a URL and within the quotes of a header. It is narrower than RFC 3986: a
// name of letters, digits, '.', '-' and '_', an IPv4 address, or an IPv6
// address in brackets.
func validHost(s string) bool {
	if s == "" || len(s) > maxHost {
		return false
	}
	host, port, hasPort := s, "", false
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		port, hasPort = strings.CutPrefix(s[end+1:], ":")
		return (hasPort || port == "") && (!hasPort || validPort(port))
	}
	host, port, hasPort = strings.Cut(s, ":")
	return validName(host) && (!hasPort || validPort(port))
}

// validScheme says whether s is a scheme by which clients reach a hub.
func validScheme(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

// withPort adds a forwarded port to a host that has none. The ports of the two
// schemes are left out: clients do not write their scheme's own, and the other
// one is that of a proxy within the chain.
func withPort(host, port string) string {
	bare := !strings.Contains(host, ":") || strings.HasSuffix(host, "]")
	if port == "" || port == "80" || port == "443" || !bare {
		return host
	}
	return host + ":" + port
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func validName(s string) bool {
	for _, b := range []byte(s) {
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') && b != '.' && b != '-' && b != '_' {
			return false
		}
	}
	return s != "" && s[0] != '.' && s[0] != '-'
}

// IsLoopback says whether a host is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
