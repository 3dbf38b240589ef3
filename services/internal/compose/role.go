package compose

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// RoleKey is what the role of a service is written under.
const RoleKey = "x-hubledger"

const roleHelp = "write x-hubledger with role: web, worker or stateful"

var (
	probe     = regexp.MustCompile(`^/[A-Za-z0-9._~!$&()*+,;=:@/?%-]*$`)
	probeHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$`)
)

// IsProbe says whether a text is the path of a probe, with a query perhaps. It stands in the
// configuration of balancers: it has no spaces, quotes, backslashes, control characters and #.
func IsProbe(text string) bool {
	u, err := url.ParseRequestURI(text)
	return err == nil && probe.MatchString(text) && u.Host == "" && len(text) <= maxProbe
}

// maxProbe bounds the path of a probe, in bytes.
const maxProbe = 1000

// IsProbeHost says whether a text is HOST[:PORT], as the header Host of a probe has it.
func IsProbeHost(text string) bool { return probeHost.MatchString(text) }

// role reads x-hubledger of a service.
func (r *reader) role(path string, service map[string]any) (role Role) {
	path += "." + RoleKey
	of, ok := service[RoleKey].(map[string]any)
	if !ok {
		r.at(path, "the service has no role: %s", roleHelp)
		return role
	}
	role.Kind = r.textOf(path, of, "role")
	known := map[string][]string{Web: {"port", "blue", "green", "probe", "host", "shared"}, Worker: {"overlap", "shared"}, Stateful: {}}
	keys, ok := known[role.Kind]
	if !ok {
		r.at(path+".role", "this is no role: %s", roleHelp)
		return role
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if key != "role" && !slices.Contains(keys, key) {
			what := "nothing else"
			if len(keys) > 0 {
				what = strings.Join(keys, ", ")
			}
			r.at(join(path, key), "a service with the role %s does not have this, but %s", role.Kind, what)
		}
	}
	switch role.Kind {
	case Web:
		role.Port, role.Blue, role.Green = r.port(path, of, "port"), r.port(path, of, "blue"), r.port(path, of, "green")
		if role.Blue != 0 && role.Blue == role.Green {
			r.at(path+".green", "blue and green are on the same port of the host: the balancer tells them apart by it")
		}
		role.Probe, role.Host = r.textOf(path, of, "probe"), r.textOf(path, of, "host")
		if role.Probe == "" {
			role.Probe = "/"
		}
		if !IsProbe(role.Probe) {
			r.at(path+".probe", "this is no path such as /healthz: write letters, digits and what else a URL may have, without spaces, quotes and #")
		}
		if role.Host != "" && !IsProbeHost(role.Host) {
			r.at(path+".host", "this is no host such as shop.example.com or shop.example.com:8080: write letters, digits, - and dots")
		}
	case Worker:
		switch v := of["overlap"]; v {
		case nil, true, "yes":
		case false, "no":
			role.Once = true
		default:
			r.at(path+".overlap", "write yes or no: whether blue and green may run at the same time")
		}
	}
	role.Shared = r.texts(path, of, "shared")
	return role
}

func (r *reader) textOf(path string, of map[string]any, key string) string {
	switch v := of[key].(type) {
	case nil:
	case string:
		if !strings.Contains(v, "$") {
			return v
		}
		r.at(join(path, key), "the role of a service has no variables: it is the same in every environment")
	default:
		r.at(join(path, key), "this is no text")
	}
	return ""
}

func (r *reader) texts(path string, of map[string]any, key string) (out []string) {
	list, ok := of[key].([]any)
	if !ok && of[key] != nil {
		r.at(join(path, key), "this is no list")
	}
	for k, v := range list {
		if text, ok := v.(string); ok {
			out = append(out, text)
		} else {
			r.at(fmt.Sprintf("%s[%d]", join(path, key), k), "this is no text")
		}
	}
	slices.Sort(out)
	return out
}

func (r *reader) port(path string, of map[string]any, key string) int {
	n, ok := of[key].(int)
	if !ok || n < 1 || n > 65535 {
		r.at(join(path, key), "write a port from 1 to 65535: port is that of the container, blue and green are those of the host")
		return 0
	}
	return n
}

// roles judges what the services of a file say together.
func (r *reader) roles(a *App) {
	taken := map[int]string{} // ports of the host
	take := func(path string, port int) {
		if port == 0 {
			return
		}
		if before, twice := taken[port]; twice {
			r.at(path, "port %d of the host is that of %s already", port, before)
			return
		}
		taken[port] = path
	}
	kinds := map[string]Role{}
	for _, s := range a.Services {
		kinds[s.Name] = s.Role
	}
	for _, s := range a.Services {
		path := join("services", s.Name)
		take(path+"."+RoleKey+".blue", s.Role.Blue)
		if s.Role.Green != s.Role.Blue {
			take(path+"."+RoleKey+".green", s.Role.Green)
		}
		for _, p := range s.Ports {
			take(path+".ports", p.Host)
		}
		if !s.Role.Coloured() {
			for _, other := range s.DependsOn {
				if kinds[other].Coloured() {
					r.at(path+".depends_on", "a stateful service stays while %s is replaced: it cannot depend on it", other)
				}
			}
			continue
		}
		if len(s.Ports) > 0 {
			r.at(path+".ports", "blue and green cannot both have the same port of the host: a web service has blue and green of x-hubledger, a worker none")
		}
		if s.Role.Kind == Web && s.Replicas != 1 {
			r.at(path+".deploy.replicas", "a web service is one container on each host, since each colour has one port there: leave it out")
		}
		mounted := map[string]bool{}
		for _, m := range s.Volumes {
			mounted[m.Source] = true
			if m.Kind != "tmpfs" && !m.ReadOnly && !slices.Contains(s.Role.Shared, m.Source) {
				r.at(path+".volumes", "blue and green would write %s at the same time: make it read-only, name it in shared of x-hubledger if they may, or give the service the role stateful", m.Source)
			}
		}
		for _, name := range s.Role.Shared {
			if !mounted[name] {
				r.at(path+"."+RoleKey+".shared", "the service does not mount %.60s", name)
			}
		}
	}
}
