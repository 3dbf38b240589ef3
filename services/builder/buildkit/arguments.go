package buildkit

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
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

// daemonConfig is buildkitd's configuration. The first of the registry's names is the
// mirror of docker.io.
func daemonConfig(registries []string, network bool) []byte {
	text := fmt.Appendf(nil, `root = "/disk/buildkit"
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
`, network, socket, programs, registries[0])
	for _, name := range registries {
		text = fmt.Appendf(text, "[registry.%q]\n  http = true\n", name)
	}
	return text
}

// logSlack is by how much the log of one step may be longer for BuildKit than the build's
// may be for the driver, which so is the one that says where it ends.
const logSlack = 64 << 10

// environment is that of buildkitd and buildctl. BuildKit keeps what steps write in its
// memory until the build ends, so it leaves out what nobody would hear; it has no limit on
// how fast they write.
func environment(registries []string, network bool, log int64) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "LC_ALL=C",
		"BUILDKIT_STEP_LOG_MAX_SIZE=" + strconv.FormatInt(min(log+logSlack, math.MaxInt32), 10), "BUILDKIT_STEP_LOG_MAX_SPEED=-1", "OTEL_SDK_DISABLED=true", "DOCKER_CONFIG=" + login}
	if network {
		env = append(env, "HTTP_PROXY=http://"+caged.ProxyAddress, "HTTPS_PROXY=http://"+caged.ProxyAddress, "NO_PROXY="+strings.Join(caged.HostsOf(registries), ","))
	}
	return env
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
	if s.Scanner != "" {
		option("attest:sbom", "generator="+s.Scanner)
	}
	if s.Cache != "" {
		at := "type=registry,ref=" + s.Image + ":" + s.Cache
		args = append(args, "--import-cache", at, "--export-cache", at+",mode=max,ignore-error=true")
	}
	return args
}
