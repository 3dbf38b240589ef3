package server

import (
	"fmt"
	"net"
	"net/url"

	"hubledger/services/internal/origin"
)

// plainWarning is the warning for a hub that other machines reach by plain HTTP;
// "" for any other hub. secure says that the hub serves TLS.
func plainWarning(listen string, secure bool, public *url.URL) string {
	host, port, err := net.SplitHostPort(listen)
	if secure || err != nil || origin.IsLoopback(host) || public != nil && public.Scheme == "https" {
		return ""
	}
	return fmt.Sprintf("plain HTTP on %s: passwords and tokens cross the network unprotected, and docker on other machines answers "+
		"\"server gave HTTP response to HTTPS client\". Make a certificate with `hubledger tls init`, or put a proxy with TLS in front "+
		"and name its address with --public-url https://…; see docs/tls.md", net.JoinHostPort(host, port))
}
