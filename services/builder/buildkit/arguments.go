package buildkit

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"

	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

// Paths inside the cage.
const (
	programs   = "/cage"
	checkout   = "/checkout"
	secrets    = "/run/secrets"
	configFile = "/run/buildkit/buildkitd.toml"
	socket     = "/run/buildkit/buildkitd.sock"
	metadata   = "/run/metadata.json"
	login      = "/run/login" // a directory
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

// daemonConfig is buildkitd's configuration.
func daemonConfig(registry string, network bool) []byte {
	return fmt.Appendf(nil, `root = "/disk/buildkit"
proxyNetwork = %t
[grpc]
  address = ["unix://%s"]
[log]
  level = "warn"
[cdi]
  disabled = true
[worker.containerd]
  enabled = false
[worker.oci]
  enabled = true
  gc = false
  snapshotter = "overlayfs"
  binary = "%s/runc"
[registry."docker.io"]
  mirrors = [%q]
[registry.%q]
  http = true
`, network, socket, programs, registry, registry)
}

// proxyAddress is where the proxy listens, in builds with a network.
const proxyAddress = "127.0.0.1:3128"

// environment is that of buildkitd and buildctl. BuildKit's own limits on logs are
// off: the driver has one.
func environment(host string, network bool) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "LC_ALL=C",
		"BUILDKIT_STEP_LOG_MAX_SIZE=-1", "BUILDKIT_STEP_LOG_MAX_SPEED=-1", "OTEL_SDK_DISABLED=true", "DOCKER_CONFIG=" + login}
	if network {
		env = append(env, "HTTP_PROXY=http://"+proxyAddress, "HTTPS_PROXY=http://"+proxyAddress, "NO_PROXY="+host)
	}
	return env
}

// loginFile lets BuildKit show the relay a password.
func loginFile(registry, password string) []byte {
	auth := base64.StdEncoding.EncodeToString([]byte(relay.User + ":" + password))
	return fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, registry, auth)
}

// arguments are those of buildctl.
func arguments(s *driver.Spec, p driver.Places) []string {
	args := []string{programs + "/buildctl", "--addr", "unix://" + socket, "build", "--frontend", "dockerfile.v0",
		"--progress", "rawjson", "--metadata-file", metadata,
		"--local", "context=" + path.Join(checkout, p.Context),
		"--local", "dockerfile=" + path.Join(checkout, path.Dir(p.Dockerfile))}
	option := func(name, value string) { args = append(args, "--opt", name+"="+value) }
	option("filename", path.Base(p.Dockerfile))
	// Any value makes BuildKit take its own frontend and not the image that a
	// "# syntax=" line names.
	option("cmdline", "built-in")
	if !s.Network {
		option("force-network-mode", "none")
	}
	if s.Target != "" {
		option("target", s.Target)
	}
	if len(s.Platforms) > 0 {
		option("platform", strings.Join(s.Platforms, ","))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		option("build-arg:"+name, s.Args[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		option("label:"+name, s.Labels[name])
	}
	for _, id := range slices.Sorted(maps.Keys(s.Secrets)) {
		args = append(args, "--secret", "id="+id+",src="+path.Join(secrets, id))
	}
	if s.Image != "" {
		args = append(args, "--output", "type=image,name="+s.Image+",push=true,push-by-digest=true")
	}
	if s.Cache != "" {
		at := "type=registry,ref=" + s.Image + ":" + s.Cache
		args = append(args, "--import-cache", at, "--export-cache", at+",mode=max,ignore-error=true")
	}
	return args
}
