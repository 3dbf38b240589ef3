package compose

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// convert makes an App of what compose-go has read, and judges the values that only show
// then: variables may have put in anything.
func (r *reader) convert(p *types.Project, roles map[string]Role, s Setting) *App {
	a := &App{Services: []Service{}}
	for _, name := range sorted(p.Services) {
		a.Services = append(a.Services, r.service(p, p.Services[name], roles[name], s))
	}
	for _, name := range sorted(p.Networks) {
		r.name("networks", name)
		a.Networks = append(a.Networks, Network{Name: name, Internal: p.Networks[name].Internal})
	}
	for _, name := range sorted(p.Volumes) {
		r.name("volumes", name)
		a.Volumes = append(a.Volumes, name)
	}
	if len(r.problems) > 0 {
		return nil
	}
	return a
}

// name refuses what would be no part of a name of an engine.
func (r *reader) name(of, name string) {
	if !serviceName.MatchString(name) {
		r.at(join(of, name), "networks and volumes are called by 1 to 40 lower-case letters, digits, - and _")
	}
}

func (r *reader) service(p *types.Project, c types.ServiceConfig, role Role, s Setting) Service {
	at := join("services", c.Name)
	out := Service{Name: c.Name, Role: role, Image: c.Image, Command: c.Command, Entrypoint: c.Entrypoint, Replicas: c.GetScale(), StopSignal: c.StopSignal, Restart: c.Restart,
		User: c.User, WorkingDir: c.WorkingDir, ReadOnly: c.ReadOnly, Init: c.Init != nil && *c.Init, Labels: c.Labels, Privileged: c.Privileged, CapAdd: c.CapAdd}
	slices.Sort(out.CapAdd)
	if out.Replicas < 0 || out.Replicas > maxReplicas {
		r.at(at+".deploy.replicas", "write a number from 0 to %d", maxReplicas)
	}
	if kind, _, _ := strings.Cut(c.Restart, ":"); !slices.Contains([]string{"", "no", "always", "on-failure", "unless-stopped"}, kind) {
		r.at(at+".restart", "write no, always, on-failure or unless-stopped")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Environment)) {
		v := Variable{Name: name}
		if value := c.Environment[name]; value != nil {
			v.Value = *value
		} else {
			v.Secret = true // until it is known where it comes from
		}
		if name == "" || strings.ContainsAny(name, "=\x00") {
			r.at(at+".environment", "%.60q is no name of a variable", name)
		}
		r.textual(at+".environment", name, v.Value)
		out.Environment = append(out.Environment, v)
	}
	for name := range c.Labels {
		if strings.HasPrefix(name, "hubledger.") || strings.HasPrefix(name, "com.docker.compose.") {
			r.at(at+".labels", "labels that begin with hubledger. and com.docker.compose. say to whom a container belongs: leave %.60s out", name)
		}
	}
	out.StopGrace = r.duration(at+".stop_grace_period", c.StopGracePeriod)
	out.Health = r.health(at+".healthcheck", c.HealthCheck)
	out.Ports, out.Volumes = r.ports(at+".ports", c.Ports), r.mounts(at+".volumes", p, c.Volumes, s)
	for _, name := range sorted(c.Networks) {
		if name == "default" {
			continue
		}
		if _, known := p.Networks[name]; !known {
			r.at(at+".networks", "the file has no network %.60s: write it below networks", name)
		}
		n := Attachment{Network: name}
		if of := c.Networks[name]; of != nil {
			n.Aliases = of.Aliases
		}
		out.Networks = append(out.Networks, n)
	}
	out.DependsOn = slices.Sorted(maps.Keys(c.DependsOn))
	if c.Deploy != nil && c.Deploy.Resources.Limits != nil {
		l := c.Deploy.Resources.Limits
		out.Memory, out.CPUs, out.PIDs = int64(l.MemoryBytes), float64(l.NanoCPUs), l.Pids
		if out.Memory < 0 || out.CPUs < 0 || out.PIDs < 0 {
			r.at(at+".deploy.resources.limits", "a limit is not below 0")
		}
	}
	return out
}

func (r *reader) duration(at string, d *types.Duration) string {
	if d == nil {
		return ""
	}
	if *d < 0 || time.Duration(*d) > 24*time.Hour {
		r.at(at, "write a time of at most 24h, such as 30s")
	}
	return time.Duration(*d).String()
}

func (r *reader) health(at string, h *types.HealthCheckConfig) *Health {
	if h == nil {
		return nil
	}
	out := &Health{Off: h.Disable || len(h.Test) == 1 && h.Test[0] == "NONE", Test: h.Test, Interval: r.duration(at+".interval", h.Interval),
		Timeout: r.duration(at+".timeout", h.Timeout), StartPeriod: r.duration(at+".start_period", h.StartPeriod)}
	if h.Retries != nil {
		out.Retries = *h.Retries
	}
	return out
}

func (r *reader) ports(at string, list []types.ServicePortConfig) (out []Port) {
	if len(list) > maxPorts {
		r.at(at, "the service has %d ports, and at most %d", len(list), maxPorts)
		return nil
	}
	for _, c := range list {
		host, err := strconv.Atoi(c.Published)
		protocol := c.Protocol
		if protocol == "" {
			protocol = "tcp"
		}
		if err != nil || host < 1 || host > 65535 || c.Target < 1 || c.Target > 65535 || protocol != "tcp" && protocol != "udp" {
			r.at(at, "write HOST:CONTAINER with two ports from 1 to 65535, such as 5432:5432; a port that only services of the application need is not published")
			continue
		}
		out = append(out, Port{Container: int(c.Target), Host: host, IP: c.HostIP, Protocol: protocol})
	}
	return out
}

func (r *reader) mounts(at string, p *types.Project, list []types.ServiceVolumeConfig, s Setting) (out []Mount) {
	for _, c := range list {
		m := Mount{Kind: c.Type, Source: c.Source, Target: c.Target, ReadOnly: c.ReadOnly}
		if !path.IsAbs(c.Target) || path.Clean(c.Target) == "/" {
			r.at(at, "a volume is mounted at a path in the container that begins with /, and not at / itself")
		}
		switch c.Type {
		case "volume":
			if _, known := p.Volumes[c.Source]; !known {
				r.at(at, "the file has no volume %q: write it below volumes", fmt.Sprintf("%.60s", c.Source))
			}
		case "tmpfs":
			if c.Tmpfs != nil {
				m.Size = int64(c.Tmpfs.Size)
			}
		case "bind":
			switch clean := path.Clean(c.Source); {
			case !slices.Contains(s.Allow, AllowBind):
				r.at(at, "this is refused: directories of the host are not the application's; name a volume instead of %.60q", c.Source)
			case !path.IsAbs(c.Source) || clean == "/" || strings.HasSuffix(clean, ".sock") || slices.ContainsFunc(untouchable, func(dir string) bool {
				return clean == dir || strings.HasPrefix(clean, dir+"/") || strings.HasPrefix(dir, clean+"/")
			}):
				r.at(at, "%.60q is never allowed, even if the hub allows directories of the host: it is a relative path, or a system directory", c.Source)
			}
		default:
			r.at(at, "this is refused: mounts of the kind %.30s are not supported", c.Type)
		}
		out = append(out, m)
	}
	return out
}

// untouchable are directories by which a container has all of its host.
var untouchable = []string{"/proc", "/sys", "/dev", "/boot", "/etc", "/root", "/run", "/var/run", "/var/lib/docker", "/var/lib/containerd",
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/var/spool/cron"}
