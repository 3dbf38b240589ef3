package compose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hubledger/services/internal/compose"
)

const shop = `
name: shop
x-logging: &env
  LOG: info
services:
  web:
    image: acme/web:1.0
    command: serve --port 8080
    environment:
      <<: *env
      GREETING: ${GREETING:-hello} $$
      DATABASE_URL:
      REGION:
    healthcheck: {test: curl -f http://localhost, interval: 10s, retries: 3}
    stop_grace_period: 1m
    networks: [front, back]
    depends_on: [db]
    labels: [team=shop]
    deploy: {resources: {limits: {memory: 64M, cpus: "0.5", pids: 100}}}
    x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081, probe: /healthz, host: shop.example}
  worker:
    image: acme/worker@sha256:` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `
    environment: [DATABASE_URL, QUEUE=tasks]
    deploy: {replicas: 4}
    volumes: ["assets:/assets:ro", {type: tmpfs, target: /tmp, tmpfs: {size: 1048576}}]
    x-hubledger: {role: worker, overlap: no}
  db:
    image: postgres:17
    ports: ["127.0.0.1:5432:5432"]
    volumes: ["data:/var/lib/postgresql"]
    networks: {back: {aliases: [database]}}
    x-hubledger: {role: stateful}
networks: {front: , back: {internal: true}}
volumes: {data: , assets: {}}
`

var production = compose.Setting{Environment: "production", Values: map[string]string{"REGION": "eu"}, Secrets: []string{"DATABASE_URL"}}

// A file comes to one value, however it was written.
func TestJudge(t *testing.T) {
	j := compose.Judge(t.Context(), []byte(shop), production)
	if j.App == nil {
		t.Fatalf("%v, missing %v", j.Problems, j.Missing)
	}
	text, err := json.MarshalIndent(j.App, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"command": [ "serve", "--port", "8080" ]`, `{ "name": "GREETING", "value": "hello $" }`, `{ "name": "LOG", "value": "info" }`,
		`{ "name": "DATABASE_URL", "secret": true }`, `{ "name": "REGION", "value": "eu" }`, `{ "network": "back", "aliases": [ "database" ] }`,
		`"stopGrace": "1m0s"`, `"interval": "10s"`, `"retries": 3`, `"memory": 67108864, "cpus": 0.5, "pids": 100`, `"replicas": 4`, `"once": true`,
		`{ "container": 5432, "host": 5432, "ip": "127.0.0.1", "protocol": "tcp" }`, `{ "kind": "volume", "source": "assets", "target": "/assets", "readOnly": true }`,
		`{ "kind": "tmpfs", "target": "/tmp", "size": 1048576 }`, `"volumes": [ "assets", "data" ]`, `{ "name": "back", "internal": true }`, `"dependsOn": [ "db" ]`, `"team": "shop"`,
		`"kind": "web", "port": 8080, "blue": 18080, "green": 18081, "probe": "/healthz", "host": "shop.example"`,
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if j.Images["db"] != "postgres:17" || len(j.Images) != 3 {
		t.Errorf("images %v", j.Images)
	}
	other := strings.Replace(shop, "environment: [DATABASE_URL, QUEUE=tasks]", "environment: {QUEUE: tasks, DATABASE_URL: }", 1)
	again := compose.Judge(t.Context(), []byte(other), production)
	if again.App == nil || again.App.Hash() != j.App.Hash() {
		t.Error("the same in another form has another hash")
	}
	changed := compose.Judge(t.Context(), []byte(strings.Replace(shop, "replicas: 4", "replicas: 5", 1)), production)
	if changed.App == nil || changed.App.Hash() == j.App.Hash() {
		t.Error("another number of replicas has the same hash")
	}
}

// What has no value is not known before there is a configuration.
func TestMissing(t *testing.T) {
	const file = "services: {a: {image: 'x:1', command: 'run ${MODE} ${LEVEL:-1}', environment: [TOKEN], x-hubledger: {role: worker}}}"
	t.Setenv("MODE", "of the process")
	t.Setenv("TOKEN", "of the process")
	for _, c := range []struct {
		values  map[string]string
		secrets []string
		missing string
	}{
		{nil, nil, "[MODE]"}, {map[string]string{"MODE": ""}, nil, "[TOKEN]"}, {map[string]string{"MODE": "a", "TOKEN": "b"}, nil, "[]"},
		{map[string]string{"MODE": "a"}, []string{"TOKEN"}, "[]"},
	} {
		j := compose.Judge(t.Context(), []byte(file), compose.Setting{Values: c.values, Secrets: c.secrets})
		if got := fmt.Sprint(j.Missing); got != c.missing || len(j.Problems) > 0 || (j.App == nil) != (got != "[]") {
			t.Errorf("with %v and %v: missing %s, %v", c.values, c.secrets, got, j.Problems)
		}
		if j.App != nil && strings.Contains(fmt.Sprint(j.App), "of the process") {
			t.Error("the environment of the process is in it")
		}
	}
	j := compose.Judge(t.Context(), []byte(file), compose.Setting{Values: map[string]string{}, Secrets: []string{"MODE", "TOKEN"}, Environment: "staging"})
	if len(j.Problems) != 1 || !strings.Contains(j.Problems[0].Text, "${MODE} is a secret of staging") {
		t.Errorf("a secret in the text: %v", j.Problems)
	}
}

// service is a file with one worker, which has these lines, too.
func service(lines string) string {
	return "services:\n  a:\n    image: x:1\n    x-hubledger: {role: worker}\n    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
}

// Each refusal names the field, its line and why.
func TestRefused(t *testing.T) {
	type row struct{ file, path, text string }
	rows := []row{
		{"", "", "empty"}, {"a: [", "", "no YAML"}, {"[]", "", "no mapping"}, {"x\x00", "", "NUL"}, {"\xff", "", "UTF-8"}, {"services: {}", "services", "no services"},
		{"a: 1\n---\nb: 2", "", "second document"}, {"services: [1]", "services", "no mapping"}, {"services: {a: 1}", "services.a", "is a mapping"},
		{"services: {a: {image: x, image: y, x-hubledger: {role: worker}}}", "services.a.image", "twice"},
		{"services: {A/b: {image: x, x-hubledger: {role: worker}}}", "services.A/b", "lower-case"},
		{"services: {a: {image: x}}", "services.a.x-hubledger", "no role"},
		{"services: {a: {x-hubledger: {role: worker}}}", "services.a.image", "name the image"},
		{"services: {a: {image: 'x:${TAG:-1}', x-hubledger: {role: worker}}}", "services.a.image", "no variables"},
		{"services: {a: {image: x, x-hubledger: {role: cron}}}", "services.a.x-hubledger.role", "no role"},
		{"services: {a: {image: x, x-hubledger: {role: worker, port: 1}}}", "services.a.x-hubledger.port", "overlap, shared"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 81}}}", "services.a.x-hubledger.green", "same port"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81}}}", "services.a.x-hubledger.green", "write a port"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 99999999999999999999}}}", "services.a.x-hubledger.green", "write a port"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, probe: 'http://x/'}}}", "services.a.x-hubledger.probe", "no path"},
		{`services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, host: "x\n    http-request deny"}}}`, "services.a.x-hubledger.host", "no host"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, host: 'x%[path]'}}}", "services.a.x-hubledger.host", "no host"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, host: 'x:http'}}}", "services.a.x-hubledger.host", "no host"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, probe: '/x hdr Host y'}}}", "services.a.x-hubledger.probe", "no path"},
		{`services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, probe: "/x\nglobal"}}}`, "services.a.x-hubledger.probe", "no path"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, probe: '/x\\'}}}", "services.a.x-hubledger.probe", "no path"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82, probe: '/x\"y'}}}", "services.a.x-hubledger.probe", "no path"},
		{"services: {a: {image: x, x-hubledger: {role: worker, overlap: maybe}}}", "services.a.x-hubledger.overlap", "yes or no"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82}, deploy: {replicas: 2}}}", "services.a.deploy.replicas", "one container on each host"},
		{"services: {a: {image: x, x-hubledger: {role: web, port: 80, blue: 81, green: 82}}, b: {image: x, ports: ['81:1'], x-hubledger: {role: stateful}}}", "services.b.ports", "port 81"},
		{"services: {a: {image: x, x-hubledger: {role: worker}}, b: {image: x, depends_on: [a], x-hubledger: {role: stateful}}}", "services.b.depends_on", "cannot depend"},
		{"services: {a: {image: x, volumes: ['data:/d'], x-hubledger: {role: worker}}}\nvolumes: {data: }", "services.a.volumes", "at the same time"},
		{"services: {a: {image: x, x-hubledger: {role: worker, shared: [d]}}}\nvolumes: {d: }", "services.a.x-hubledger.shared", "does not mount"},
		{service("ports: ['80:80']"), "services.a.ports", "both have the same port"},
		{service("volumes: ['/etc:/e:ro']"), "services.a.volumes", "directories of the host"}, {service("volumes: ['./x:/e:ro']"), "services.a.volumes", "directories of the host"},
		{service("volumes: ['/var/run/docker.sock:/s:ro']"), "services.a.volumes", "directories of the host"}, {service("volumes: ['${X:-/etc}:/e:ro']"), "services.a.volumes", "directories of the host"},
		{service("volumes: [{type: bind, source: /etc, target: /e, read_only: true}]"), "services.a.volumes", "directories of the host"},
		{service("volumes: [{type: npipe, source: x, target: /e}]"), "", ""}, {service("volumes: [{type: image, source: x, target: /e}]"), "", ""},
		{service("volumes: ['gone:/e:ro']"), "", "undefined volume"}, {service("networks: [gone]"), "", "undefined network"},
		{service("volumes: [{type: volume, source: x, target: /e, volume: {subpath: ..}}]"), "services.a.volumes[0].volume", "not supported"},
		{service("deploy: {replicas: 1000}"), "services.a.deploy.replicas", "0 to 100"}, {service("deploy: {replicas: '${N:-1000}'}"), "services.a.deploy.replicas", "0 to 100"},
		{service("deploy: {mode: global}"), "services.a.deploy.mode", "not supported"}, {service("deploy: {placement: {}}"), "services.a.deploy.placement", "refused"},
		{service("deploy: {resources: {reservations: {devices: []}}}"), "services.a.deploy.resources.reservations", "not supported"},
		{service("healthcheck: {interval: 99999h}"), "services.a.healthcheck.interval", "24h"}, {service("stop_grace_period: soon"), "", ""}, {service("restart: perhaps"), "services.a.restart", "unless-stopped"},
		{service("labels: {hubledger.app: other}"), "services.a.labels", "to whom"}, {service("environment: ['=x']"), "services.a.environment", "no name"},
		{service("environment: {A: !!binary aGk=}"), "services.a.environment.A", "tag !!binary"}, {service("environment: !reset {}"), "services.a.environment", "tag !reset"},
		{service("command: 9999999999999999"), "services.a.command", "too large"}, {service("deploy: {resources: {limits: {memory: .inf}}}"), "services.a.deploy.resources.limits.memory", "no number"},
		{service("command: '${1A}'"), "", "a $ that is no variable"}, {service("depends_on: [gone]"), "", "undefined service"},
		{service("sysctl: 1"), "services.a.sysctl", "not supported"},
		{service("") + "networks: {n: {external: true}}", "networks.n.external", "of others"}, {service("") + "networks: {n: {driver: host}}", "networks.n.driver", "bridge"},
		{service("") + "volumes: {v: {driver_opts: {type: none, o: bind, device: /}}}", "volumes.v.driver_opts", "directories of the host"},
		{service("") + "include: [other.yaml]", "include", "not read"}, {service("") + "secrets: {s: {file: /etc/shadow}}", "secrets", "apps secret set"}, {service("") + "configs: {s: {file: /etc/shadow}}", "configs", "configs of Compose"},
		{service("ports: ['1-65535']"), "services.a.ports", "65535 ports"}, {service("ports: ['80-280:80-280', '${P:-1-65535:1-65535/udp}']"), "services.a.ports", "65736 ports"},
		{service("command: " + strings.Repeat("${A:-", 11) + strings.Repeat("}", 11)), "services.a.command", "10 deep"},
		{strings.Repeat("#", compose.MaxBytes+1), "", "bytes"}, {service("command: " + strings.Repeat("x", 9000)), "services.a.command", "8192"},
	}
	for _, key := range strings.Fields("build privileged use_api_socket network_mode pid ipc uts userns_mode cgroup cgroup_parent devices device_cgroup_rules gpus cap_add security_opt sysctls runtime isolation provider " +
		"volumes_from env_file label_file extends secrets configs container_name hostname pre_start post_start pre_stop scale profiles develop pull_policy links external_links models") {
		rows = append(rows, row{service(key + ": x"), "services.a." + key, "this is refused: "})
	}
	for _, c := range rows {
		j := compose.Judge(t.Context(), []byte(c.file), compose.Setting{Values: map[string]string{}})
		if j.App != nil || len(j.Problems) == 0 {
			t.Errorf("%.100q is taken", c.file)
			continue
		}
		p := j.Problems[0]
		if c.path != "" && (p.Path != c.path || p.Line == 0) || !strings.Contains(p.Text, c.text) {
			t.Errorf("%.100q: %+v", c.file, j.Problems)
		}
	}
}

// All refusals come at once, in the order of the lines.
func TestAllAtOnce(t *testing.T) {
	j := compose.Judge(t.Context(), []byte(strings.Replace(service("privileged: true\npid: host\nbuild: ."), "x:1", "'x:${TAG}'", 1)+"include: [x]\n"), compose.Setting{})
	var got []string
	for _, p := range j.Problems {
		got = append(got, fmt.Sprint(p.Line, " ", p.Path))
	}
	if want := "3 services.a.image|5 services.a.privileged|6 services.a.pid|7 services.a.build|8 include"; strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
	if text := j.Problems[1].Error(); !strings.HasPrefix(text, "services.a.privileged (line 5): this is refused: a privileged container") {
		t.Error(text)
	}
}

// Bombs cost no more than the bounds.
func TestBombs(t *testing.T) {
	aliases, deep := "x-a: &a [x,x,x,x,x,x,x,x,x,x]\n", strings.Repeat("[", 5000)
	for c := 'b'; c < 'k'; c++ {
		aliases += fmt.Sprintf("x-%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 10), ","))
	}
	merges := "x-a: &a {k: v}\n"
	for c := 'b'; c < 'z'; c++ {
		merges += fmt.Sprintf("x-%c: &%c {<<: [*%c, *%c]}\n", c, c, c-1, c-1)
	}
	many := "services:\n"
	for n := range 60 {
		many += fmt.Sprintf("  s%d: {image: x, x-hubledger: {role: worker}}\n", n)
	}
	unknown := "services:\n  a:\n"
	for n := range 1000 {
		unknown += fmt.Sprintf("    k%d: 1\n", n)
	}
	for what, file := range map[string]string{"aliases": aliases, "depth": "x-a: " + deep, "itself": "x-a: &a [*a]\n" + service(""), "merges": merges, "services": many, "refusals": unknown} {
		j := compose.Judge(t.Context(), []byte(file), compose.Setting{})
		if len(j.Problems) == 0 || len(j.Problems) > 100 {
			t.Errorf("%s: %d problems", what, len(j.Problems))
		}
	}
	ports := "services:\n" // half a gigabyte each, if they were made
	for n := range 50 {
		ports += fmt.Sprintf("  s%d: {image: x, x-hubledger: {role: stateful}, ports: [%s'${P}']}\n", n, strings.Repeat("'1-65535', ", 100))
	}
	j := compose.Judge(t.Context(), []byte(ports), compose.Setting{Values: map[string]string{"P": "1-65535"}})
	if len(j.Problems) != 50 || !strings.Contains(j.Problems[0].Text, "6619035 ports, and at most 100") {
		t.Errorf("%.500v", j.Problems)
	}
	fill := service("labels: ['a=" + strings.Repeat("${A}", 1000) + "', 'b=" + strings.Repeat("${A}", 1000) + "']")
	j = compose.Judge(t.Context(), []byte(fill), compose.Setting{Values: map[string]string{"A": strings.Repeat("x", 60_000)}})
	if j.App != nil || len(j.Problems) != 1 || !strings.Contains(j.Problems[0].Text, "variables of the file put in more") {
		t.Errorf("%.500v", j.Problems)
	}
}

// Problems that may quote the values of a configuration say so, others do not.
func TestFilled(t *testing.T) {
	values := compose.Setting{Values: map[string]string{"A": "hunter2"}}
	for lines, filled := range map[string]bool{"restart: ${A}": true, "ports: ['${A}:80']": true, "stop_grace_period: ${A}": true, "volumes: ['/${A}:/e:ro']": true, "deploy: {replicas: '${A}'}": true, "user: 1\nbuild: .": false} {
		j := compose.Judge(t.Context(), []byte(service(lines)), values)
		if len(j.Problems) == 0 || j.Problems[0].Filled != filled {
			t.Errorf("%s: %+v", lines, j.Problems)
		}
	}
}

// What the operator allows is taken, and not all of the host even then.
func TestAllowed(t *testing.T) {
	allow := compose.Setting{Allow: compose.Allowable, Values: map[string]string{}}
	j := compose.Judge(t.Context(), []byte(service("privileged: true\ncap_add: [NET_ADMIN]\nvolumes: ['/srv/a:/a:ro']")), allow)
	if j.App == nil || !j.App.Services[0].Privileged || j.App.Services[0].CapAdd[0] != "NET_ADMIN" || j.App.Services[0].Volumes[0].Source != "/srv/a" {
		t.Errorf("%+v", j)
	}
	for _, dir := range []string{"/", "/etc", "/etc/ssl", "/var", "/var/run/docker.sock", "/srv/../proc", "srv", "/run/x.sock", "/usr", "/usr/local/bin", "/var/spool/cron/crontabs"} {
		if j := compose.Judge(t.Context(), []byte(service("volumes: ['"+dir+":/a:ro']")), allow); j.App != nil {
			t.Errorf("%s is mounted", dir)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte(service("volumes: ['/etc:/e']\nprivileged: true")))
	f.Fuzz(func(t *testing.T, text []byte) {
		j := compose.Judge(t.Context(), text, production)
		if (j.App == nil) == (len(j.Problems) == 0 && len(j.Missing) == 0) {
			t.Errorf("App %v with %v and %v", j.App, j.Problems, j.Missing)
		}
		if j.App == nil {
			return
		}
		for _, s := range j.App.Services {
			for _, m := range s.Volumes {
				if m.Kind == "bind" {
					t.Errorf("a directory of the host: %+v", m)
				}
			}
			if s.Privileged || len(s.CapAdd) > 0 || s.Role.Kind == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}
