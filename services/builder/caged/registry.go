package caged

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"hubledger/services/builder/relay"
)

// listenAddress is where the relay listens for a registry's name, and the host in it.
func listenAddress(registry string) (address, host string, err error) {
	host, port, err := net.SplitHostPort(registry)
	if err != nil {
		host, port = strings.Trim(registry, "[]"), "80" // that of http, which the relay speaks
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil && (host == "" || strings.ContainsAny(host, "/:@ \"\n\\")):
		return "", "", fmt.Errorf("%q is no name of a registry: write host, or host:port", registry)
	case err != nil:
		return net.JoinHostPort("127.0.0.1", port), host, nil
	case !addr.Is4() && !addr.IsLoopback():
		return "", "", fmt.Errorf("builds cannot use the registry by its IPv6 address %s: give the hub a name", addr)
	}
	return net.JoinHostPort(addr.String(), port), host, nil
}

// ProxyAddress is where the proxy listens, in builds with a network.
const ProxyAddress = "127.0.0.1:3128"

// LoginFile is the config.json by which docker and BuildKit show the relay its
// password, when they mean one of the registries.
func LoginFile(password string, registries ...string) []byte {
	auths := map[string]any{}
	for _, name := range registries {
		auths[name] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(relay.User + ":" + password))}
	}
	text, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		panic(err) // of strings alone
	}
	return text
}

// HostOf is the host in the name of a registry.
func HostOf(registry string) string {
	_, host, _ := listenAddress(registry)
	return host
}
