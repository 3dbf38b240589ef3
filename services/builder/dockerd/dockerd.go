// Package dockerd is the driver that builds as Docker Hub did, with the hooks and
// autotests of a git repository: an engine of Docker for each build, in an
// unprivileged cage that reaches the registry and nothing else. Hooks own that engine
// and all that is in the cage.
package dockerd

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path"
	"slices"
	"strings"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/caged"
	"hubledger/services/builder/driver"
	"hubledger/services/builder/relay"
)

// New makes a driver, see caged.New. An error says what is missing, and what
// installs it.
func New(c caged.Config, t Tools) (*caged.Driver, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	c.Tags = true
	return caged.New(c, method{t})
}

// A method is of caged.Method.
type method struct{ tools Tools }

// Paths inside the cage.
const (
	programs   = "/cage"
	program    = programs + "/hubledger-docker"
	compose    = programs + "/docker-compose"
	checkout   = "/disk/src"
	secrets    = "/run/secrets"
	home       = "/root"
	planFile   = "/run/plan.json"
	daemonFile = "/etc/docker/daemon.json"
	socket     = "/run/docker.sock"
)

// Cage is of caged.Method.
func (m method) Cage(a *caged.Attempt) (cage.Config, error) {
	s := a.Spec
	if s.Scanner != "" {
		return cage.Config{}, driver.Failuref(driver.NoSBOM, "an SBOM is asked for, and a build with hooks or autotests makes none, since Docker's engine builds it: do without the SBOM, or without the hooks and autotests")
	}
	if err := native(s.Platforms); err != nil {
		return cage.Config{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return cage.Config{}, err
	}
	plan, err := json.Marshal(planOf(a))
	if err != nil {
		return cage.Config{}, err
	}
	c := cage.Config{Unprivileged: true,
		Copies: map[string]string{checkout: a.Root},
		Binds:  map[string]string{program: self, compose: m.tools.Compose},
		Dirs:   []string{"/var/lib", "/var/tmp", "/home", "/run/docker", secrets, home + "/.docker/cli-plugins"},
		Files: map[string][]byte{planFile: plan, daemonFile: daemonConfig(a.Names),
			home + "/.docker/config.json": clientConfig(a),
			"/etc/passwd":                 []byte("root:x:0:0::" + home + ":/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"),
			"/etc/group":                  []byte("root:x:0:\nnogroup:x:65534:\n"),
			"/etc/nsswitch.conf":          []byte("hosts: files dns\n")},
		Daemon: []string{m.tools.Dockerd, "--config-file", daemonFile}, Ready: socket,
		Program: []string{program}, Env: environment}
	for id, value := range s.Secrets {
		c.Files[path.Join(secrets, id)] = value
	}
	for _, authorities := range []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/usr/share/ca-certificates"} {
		c.Binds[authorities] = authorities
	}
	return c, nil
}

// environment is that of the engine, and of hooks before their own variables.
var environment = []string{"PATH=" + programs + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "USER=root",
	"TMPDIR=/tmp", "LC_ALL=C.UTF-8", "DOCKER_HOST=unix://" + socket, "DOCKER_BUILDKIT=0", "DOCKER_CLI_HINTS=false"}

// bridge is the address of the engine's default bridge in the cage. Containers of every
// network of the engine reach it.
const bridge = "172.17.0.1"

// clientConfig is that of the docker command: by it, in builds with a network, containers
// and their builds have the variables that lead to the proxy.
func clientConfig(a *caged.Attempt) []byte {
	text := caged.LoginFile(a.Password, append(slices.Clone(a.Names), "https://index.docker.io/v1/")...)
	if !a.Spec.Network {
		return text
	}
	var config map[string]any
	at := "http://" + net.JoinHostPort(bridge, caged.ProxyPort)
	err := json.Unmarshal(text, &config)
	if err == nil {
		config["proxies"] = map[string]any{"default": map[string]string{"httpProxy": at, "httpsProxy": at, "noProxy": strings.Join(caged.HostsOf(a.Names), ",")}}
		text, err = json.Marshal(config)
	}
	if err != nil {
		panic(err) // of strings alone
	}
	return text
}

// daemonConfig is the engine's configuration. The first of the registry's names is the
// mirror of docker.io.
func daemonConfig(registries []string) []byte {
	text, err := json.Marshal(map[string]any{"data-root": "/disk/docker", "exec-root": "/run/docker", "pidfile": "/run/docker.pid",
		"hosts": []string{"unix://" + socket}, "storage-driver": "overlay2", "log-level": "warn",
		"bip": bridge + "/16", "insecure-registries": registries, "registry-mirrors": []string{"http://" + registries[0]}})
	if err != nil {
		panic(err) // of strings alone
	}
	return text
}

// Made is the image that was pushed under the first tag.
func (m method) Made(a *caged.Attempt, _ cage.Exit, way *relay.Relay) (driver.Result, error) {
	if a.Spec.Image == "" {
		return driver.Result{}, nil
	}
	tag := firstTag(a.Spec)
	pushed := way.Pushed()
	digest, ok := pushed[tag]
	if !ok {
		return driver.Result{}, driver.Failuref(driver.StepFailed, "nothing was pushed as %s:%s: hooks/push has to push $IMAGE_NAME", a.Spec.Image, tag)
	}
	for _, name := range slices.Sorted(maps.Keys(pushed)) {
		switch listed := slices.Contains(a.Spec.Facts.Tags, name); {
		case !listed:
			a.Warn(fmt.Sprintf("the tag %s was pushed and is not set, since it is none of the rule's: add it to its tags", name))
		case pushed[name] != digest:
			a.Warn(fmt.Sprintf("the tag %s was pushed as another image than %s, and gets the same one: all tags of a rule do", name, tag))
		}
	}
	return driver.Result{Digest: digest, Bases: bases(a, way.Pulled())}, nil
}

// native says why this driver cannot build for platforms.
func native(platforms []string) error {
	for _, p := range platforms {
		if p != caged.Native {
			return driver.Failuref(driver.Platform, "a build with hooks or autotests is for the builder's own platform, %s, and not for %s", caged.Native, p)
		}
	}
	return nil
}

// firstTag names the image.
func firstTag(s *driver.Spec) string {
	if len(s.Facts.Tags) > 0 {
		return s.Facts.Tags[0]
	}
	return fmt.Sprintf("test-%.12s", s.Facts.Commit)
}
