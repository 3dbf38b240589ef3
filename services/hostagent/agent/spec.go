package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"

	"hubledger/services/internal/compose"
	"hubledger/services/internal/hosting"
)

// A spec is what one container is made by.
type spec struct {
	name     string
	config   container.Config
	host     container.HostConfig
	networks []attachment // the first is there from the start
}

// An attachment is a network of a container, with the names that it has there.
type attachment struct {
	Name    string
	Aliases []string
}

// specOf is what the container of a service of a slot is made by. generation is that of the
// log.
func (a *Agent) specOf(t *hosting.Slot, s *hosting.SlotService, index int, generation string) (*spec, error) {
	p := &spec{name: containerName(t.ID, s.Name, index)}
	c, h := &p.config, &p.host
	c.Image, c.Cmd, c.Entrypoint, c.User, c.WorkingDir, c.StopSignal = s.Pull, s.Command, s.Entrypoint, s.User, s.WorkingDir, s.StopSignal
	c.Env = environment(t, s)
	grace, err := duration(s.StopGrace)
	if err != nil {
		return nil, err
	}
	if grace > 0 {
		seconds := int(math.Ceil(grace.Seconds()))
		c.StopTimeout = &seconds
	}
	if c.Healthcheck, err = health(s.Health); err != nil {
		return nil, err
	}
	h.RestartPolicy = container.RestartPolicy{Name: container.RestartPolicyUnlessStopped}
	h.ReadonlyRootfs, h.Privileged, h.CapAdd = s.ReadOnly, s.Privileged, s.CapAdd
	h.Memory, h.NanoCPUs = s.Memory, int64(s.CPUs*1e9)
	if s.PIDs > 0 {
		h.PidsLimit = &s.PIDs
	}
	if s.Init {
		h.Init = &s.Init
	}
	for _, m := range s.Volumes {
		h.Mounts = append(h.Mounts, mounted(t.ID, m))
	}
	if err := a.publish(p, t, s); err != nil {
		return nil, err
	}
	p.attach(t, s)
	h.NetworkMode = container.NetworkMode(p.networks[0].Name)
	c.Labels = map[string]string{}
	for name, value := range s.Labels {
		if !strings.HasPrefix(name, labelPrefix) {
			c.Labels[name] = value
		}
	}
	sum, err := p.hash(t)
	if err != nil {
		return nil, err
	}
	maps.Copy(c.Labels, map[string]string{labelHost: a.Machine, labelSlot: t.ID, labelService: s.Name, labelIndex: strconv.Itoa(index),
		labelGeneration: generation, labelFence: strconv.FormatUint(t.Fence, 10), labelHash: sum})
	return p, nil
}

// hash identifies what a container is made by, but for the labels of the agent. That of a
// stateful service is the same in each release, unless it changes itself.
func (p *spec) hash(t *hosting.Slot) (string, error) {
	config := p.config
	if !coloured(t) {
		config.Env = slices.DeleteFunc(slices.Clone(config.Env), func(v string) bool { return strings.HasPrefix(v, releaseVariable+"=") })
	}
	text, err := json.Marshal(struct {
		Config   container.Config
		Host     container.HostConfig
		Networks []attachment
	}{config, p.host, p.networks})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

const releaseVariable = "HUBLEDGER_RELEASE"

// environment are the variables of a container, sorted.
func environment(t *hosting.Slot, s *hosting.SlotService) []string {
	all := map[string]string{}
	for _, v := range s.Environment {
		if !v.Secret {
			all[v.Name] = v.Value
		}
	}
	maps.Copy(all, s.Values)
	all[releaseVariable] = strconv.Itoa(t.Release)
	all["HUBLEDGER_ENVIRONMENT"] = t.Environment
	delete(all, "HUBLEDGER_COLOUR")
	if coloured(t) {
		all["HUBLEDGER_COLOUR"] = t.Colour
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}

// secrets are the values of a slot that nobody is to read.
func secrets(t *hosting.Slot) (list [][]byte) {
	for _, s := range t.Services {
		for _, v := range s.Environment {
			if value, ok := s.Values[v.Name]; ok && v.Secret {
				list = append(list, []byte(value))
			}
		}
	}
	return list
}

func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

func health(h *compose.Health) (*container.HealthConfig, error) {
	switch {
	case h == nil:
		return nil, nil
	case h.Off:
		return &container.HealthConfig{Test: []string{"NONE"}}, nil
	}
	out := &container.HealthConfig{Test: h.Test, Retries: int(h.Retries)}
	for text, into := range map[*string]*time.Duration{&h.Interval: &out.Interval, &h.Timeout: &out.Timeout, &h.StartPeriod: &out.StartPeriod} {
		var err error
		if *into, err = duration(*text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func mounted(slot string, m compose.Mount) mount.Mount {
	out := mount.Mount{Type: mount.Type(m.Kind), Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	switch out.Type {
	case mount.TypeVolume:
		out.Source = volumeName(slot, m.Source)
	case mount.TypeTmpfs:
		out.Source = ""
		out.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: m.Size}
	}
	return out
}

// publish opens the ports of a service on this host: of a web service that of its colour,
// of others those that the Compose file names.
func (a *Agent) publish(p *spec, t *hosting.Slot, s *hosting.SlotService) error {
	p.config.ExposedPorts, p.host.PortBindings = network.PortSet{}, network.PortMap{}
	open := func(inside, outside int, protocol string, ip netip.Addr) error {
		port, ok := network.PortFrom(uint16(inside), network.IPProtocol(protocol))
		if !ok {
			return fmt.Errorf("%d/%s is no port", inside, protocol)
		}
		p.config.ExposedPorts[port] = struct{}{}
		p.host.PortBindings[port] = append(p.host.PortBindings[port], network.PortBinding{HostIP: ip, HostPort: strconv.Itoa(outside)})
		return nil
	}
	if port := portOf(t, s); port > 0 {
		return open(s.Role.Port, port, "tcp", a.Bind)
	}
	for _, one := range s.Ports {
		ip := a.Bind
		if one.IP != "" {
			var err error
			if ip, err = netip.ParseAddr(one.IP); err != nil {
				return err
			}
		}
		if err := open(one.Container, one.Host, one.Protocol, ip); err != nil {
			return err
		}
	}
	return nil
}

// portOf is the port of a web service of a colour on this host; 0 for other services.
func portOf(t *hosting.Slot, s *hosting.SlotService) int {
	switch {
	case s.Role.Kind != compose.Web:
		return 0
	case t.Colour == hosting.Green:
		return s.Role.Green
	}
	return s.Role.Blue
}

// attached are the networks of a service.
func attached(s *hosting.SlotService) []compose.Attachment {
	if len(s.Networks) == 0 {
		return []compose.Attachment{{Network: defaultNetwork}}
	}
	return s.Networks
}

// attach connects a container to its networks.
func (p *spec) attach(t *hosting.Slot, s *hosting.SlotService) {
	for _, n := range attached(s) {
		aliases := append([]string{s.Name}, n.Aliases...)
		if !coloured(t) {
			p.networks = append(p.networks, attachment{environmentNetwork(t.ID, n.Network), aliases})
			continue
		}
		p.networks = append(p.networks, attachment{colourNetwork(t.ID, n.Network), aliases}, attachment{environmentNetwork(t.ID, n.Network), nil})
	}
}
