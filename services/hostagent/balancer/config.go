package balancer

import (
	"fmt"
	"strings"
	"text/template"

	"hubledger/services/internal/compose"
)

// A Web is a web service as HAProxy's configuration needs it.
type Web struct {
	Name        string
	Blue, Green int    // ports of hosts
	Probe       string // path
	Host        string // header Host of the probe
}

// A Host is one of an environment.
type Host struct{ Name, Address string }

// Settings are what a configuration is made of.
type Settings struct {
	Application string // NAMESPACE/NAME
	Environment string
	Services    []Web
	Hosts       []Host
	Responder   int    // port of the weight responder, on each host
	Socket      string // of HAProxy
	State       string // file of the servers' state
	Listen      int    // port of the first frontend; the others follow
}

var funcs = template.FuncMap{"backend": Backend, "server": Server, "subject": Subject, "add": func(x, y int) int { return x + y }}

var text = template.Must(template.New("").Funcs(funcs).Parse(`# HAProxy for {{.Application}}, {{.Environment}}: by hubledger haproxy config.
# It stays the same from deploy to deploy. Both colours are there for good, on fixed ports; which
# of them gets how much is said by the weight responder of each host (hubledger agent --weights).
# Print it anew when hosts or ports change.

global
    # The agent reads sessions here, and ends them at the end of a drain. A new HAProxy gets the
    # listening sockets of the old one here: haproxy … -x SOCKET -sf PID.
    stats socket {{.Socket}} mode 660 level admin expose-fd listeners
    # The weights that were in force, for a start of HAProxy (hubledger agent --haproxy-state).
    server-state-file {{.State}}
    # Old processes keep long connections after a reload: not for ever.
    hard-stop-after 10m

defaults
    mode http
    load-server-state-from-file global
    # When a new HAProxy takes over, connections of clients that wait end with their next answer.
    option idle-close-on-response
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    # WebSockets have this one.
    timeout tunnel 1h
    timeout http-request 10s
    timeout check 2s
{{range $k, $s := .Services}}
frontend {{backend $.Application $.Environment $s.Name}}-in
    bind :{{add $.Listen $k}}
    # With TLS: one file has the certificate and its key.
    # bind :443 ssl crt /etc/haproxy/{{$s.Name}}.pem alpn h2,http/1.1
    # http-request redirect scheme https unless { ssl_fc }
    option forwardfor
    default_backend {{backend $.Application $.Environment $s.Name}}

backend {{backend $.Application $.Environment $s.Name}}
    # Each request is balanced; this one gives a true half.
    balance roundrobin
    # A connection to a server for each request. On one that is used again a request may meet its end:
    # HAProxy then closes the client's connection without an answer, and repeats only a GET or HEAD.
    option http-server-close
    option httpchk
    http-check send meth GET uri {{or $s.Probe "/"}}{{if $s.Host}} hdr Host {{$s.Host}}{{end}}
    http-check expect status 200
    # A request whose connection was refused goes to another server, and so does one that only
    # reads (GET, HEAD) and whose server went away without an answer. Others are not repeated
    # once they were sent: they may have had their effect.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
    # agent-check has to stand here, not on the server lines. Weight 100 makes N % exact.
    # A check that fails, or passes again, is repeated soon.
    default-server check inter 1s fastinter 250ms fall 2 rise 2 weight 100 agent-check agent-port {{$.Responder}} agent-inter 500ms
{{- range $h := $.Hosts}}
    server {{server $h.Name "blue"}} {{$h.Address}}:{{$s.Blue}} agent-send "{{subject $.Application $.Environment "blue"}}\n"
    server {{server $h.Name "green"}} {{$h.Address}}:{{$s.Green}} agent-send "{{subject $.Application $.Environment "green"}}\n"
{{- end}}
{{end}}`))

// Config is the configuration of HAProxy for an environment.
func Config(s Settings) (string, error) {
	if len(s.Services) == 0 {
		return "", fmt.Errorf("%s has no web service: there is nothing to balance", s.Application)
	}
	// Who writes the Compose file does not write the operator's configuration.
	for _, w := range s.Services {
		if w.Probe != "" && !compose.IsProbe(w.Probe) {
			return "", fmt.Errorf("the probe of %q is no path such as /healthz: %.200q; correct it in the Compose file", w.Name, w.Probe)
		}
		if w.Host != "" && !compose.IsProbeHost(w.Host) {
			return "", fmt.Errorf("the host of %q is no HOST[:PORT]: %.200q; correct it in the Compose file", w.Name, w.Host)
		}
	}
	var out strings.Builder
	err := text.Execute(&out, s)
	return out.String(), err
}
