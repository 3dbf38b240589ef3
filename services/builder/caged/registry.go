package caged

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// listenAddresses are where the relay listens for names of a registry. Those of host
// names, which are of loopback, come first: the cage leads host names to the first.
func listenAddresses(names []string) []string {
	var list []string
	for _, n := range names {
		if address, _, err := listenAddress(n); err == nil && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	slices.SortStableFunc(list, func(a, b string) int {
		return cmp.Compare(rank(a), rank(b))
	})
	return list
}

func rank(address string) int {
	if strings.HasPrefix(address, "127.0.0.1:") {
		return 0
	}
	return 1
}

// usable are those of a registry's other names by which builds can call it, each once.
func usable(registry string, aliases []string) []string {
	var list []string
	for _, name := range aliases {
		if _, _, err := listenAddress(name); err == nil && name != registry && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// ProxyAddress is where the programs of a cage find the proxy, in builds with a network.
// It listens on all addresses of the cage: containers of Docker's engine reach it by
// that of their bridge.
const (
	ProxyAddress = "127.0.0.1:" + ProxyPort
	ProxyPort    = "3128"
	proxyListens = "0.0.0.0:" + ProxyPort
)

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

// HostsOf are the hosts in names of a registry, each once.
func HostsOf(names []string) []string {
	var hosts []string
	for _, n := range names {
		if _, host, err := listenAddress(n); err == nil && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
