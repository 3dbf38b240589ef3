// Package buildkit is the driver that builds with BuildKit: a buildkitd for each
// build, with runc, in a cage that reaches the registry and nothing else.
package buildkit

import (
	"encoding/json"
	"path"
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
	return caged.New(c, method{t})
}

// A method is of caged.Method.
type method struct{ tools Tools }

// Cage is of caged.Method.
func (m method) Cage(a *caged.Attempt) (cage.Config, error) {
	s := a.Spec
	c := cage.Config{
		Binds: map[string]string{checkout: a.Root, path.Join(programs, "buildkitd"): m.tools.Buildkitd,
			path.Join(programs, "buildctl"): m.tools.Buildctl, path.Join(programs, "runc"): m.tools.Runc},
		Files: map[string][]byte{configFile: daemonConfig(a.Names, s.Network),
			path.Join(login, "config.json"): caged.LoginFile(a.Password, a.Names...)},
		Daemon: []string{path.Join(programs, "buildkitd"), "--config", configFile}, Ready: socket,
		Program: arguments(s, a.Places), Env: environment(a.Names, s.Network, s.Limits.Log), Result: metadata}
	for id, value := range s.Secrets {
		c.Files[path.Join(secrets, id)] = value
	}
	if s.Network {
		for _, authorities := range []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted"} {
			c.Binds[authorities] = authorities
		}
	}
	return c, nil
}

// Failed is of caged.Method.
func (m method) Failed(e caged.Evidence) *driver.Failure { return classify(e) }

// Made reads what BuildKit says of the image.
func (m method) Made(a *caged.Attempt, exit cage.Exit, from *relay.Relay) (driver.Result, error) {
	r := driver.Result{Bases: bases(a.Steps, a.Names, func(repository, reference string) bool {
		_, missing := from.Missing(repository, reference)
		return missing
	})}
	if err := json.Unmarshal(exit.Result, &r.Metadata); err != nil && a.Spec.Image != "" {
		return r, driver.Failuref(driver.Broken, "BuildKit does not say what it pushed: %w", err)
	}
	if a.Spec.Image == "" {
		return r, nil
	}
	r.Digest, _ = r.Metadata["containerimage.digest"].(string)
	if !strings.HasPrefix(r.Digest, "sha256:") {
		return r, driver.Failuref(driver.Broken, "BuildKit does not say what it pushed")
	}
	return r, nil
}
