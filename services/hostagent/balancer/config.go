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
# It stays the same from deploy to deploy. Both colours are always listed, on fixed ports. The weight
# responder of each host (hubledger agent --weights) says how much of the traffic each colour gets.
# Print it again when hosts or ports change.

global
    # The agent reads sessions here, and ends them at the end of a drain. A new HAProxy takes over the
    # listening sockets of the old one here: haproxy … -x SOCKET -sf PID.
    stats socket {{.Socket}} mode 660 level admin expose-fd listeners
    # The weights to start HAProxy with: those in force before (hubledger agent --haproxy-state).
    server-state-file {{.State}}
    # After a reload the old process serves its open connections for at most this long.
    hard-stop-after 10m

defaults
    mode http
    load-server-state-from-file global
    # When a new HAProxy takes over, the old one closes an idle client connection after its next answer.
    option idle-close-on-response
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    # For WebSockets.
    timeout tunnel 1h
    timeout http-request 10s
    timeout check 2s
{{range $k, $s := .Services}}
frontend {{backend $.Application $.Environment $s.Name}}-in
    bind :{{add $.Listen $k}}
    # With TLS, the file contains the certificate and its key:
    # bind :443 ssl crt /etc/haproxy/{{$s.Name}}.pem alpn h2,http/1.1
    # http-request redirect scheme https unless { ssl_fc }
    option forwardfor
    default_backend {{backend $.Application $.Environment $s.Name}}

backend {{backend $.Application $.Environment $s.Name}}
    # Every request is balanced. roundrobin gives each colour exactly its share.
    balance roundrobin
    # A new connection to a server for each request. The server may close a reused connection just as a
    # request arrives: HAProxy then closes the client's connection without an answer, or repeats a GET or HEAD.
    option http-server-close
    option httpchk
    http-check send meth GET uri {{or $s.Probe "/"}}{{if $s.Host}} hdr Host {{$s.Host}}{{end}}
    http-check expect status 200
    # A request whose connection is refused goes to another server. So does a GET or HEAD whose server
    # went away without an answer. Other requests are not repeated once they are sent, because they
    # may have taken effect.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
    # agent-check has to be here, not in the server lines. With weight 100, N % is exact.
    # A check that changes its result is repeated soon.
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
