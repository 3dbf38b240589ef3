package hosts

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"time"

	"github.com/moby/moby/client"

	"hubledger/events"
	"hubledger/services/cmd/console"
	"hubledger/services/cmd/enrolment"
	"hubledger/services/hostagent/agent"
	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/quiet"
	"hubledger/services/server/memory"
	"hubledger/streams/disk"
	"hubledger/streams/machines"
)

// Agent is the command that makes this machine a host.
type Agent struct {
	Hub    string     `help:"URL of the hub, such as https://hub.example.com." required:"" env:"HUBLEDGER_HUB" placeholder:"URL"`
	Token  string     `help:"One-time token that hosts enroll has printed; only the first time. Better in the variable, since other users see arguments." env:"HUBLEDGER_ENROLL" placeholder:"TOKEN"`
	CA     string     `name:"ca" help:"Certificate (PEM) of the hub's own authority." env:"HUBLEDGER_CA" placeholder:"FILE"`
	Docker string     `help:"Where the container engine of this machine is." default:"unix:///var/run/docker.sock" env:"DOCKER_HOST" placeholder:"URL"`
	Bind   netip.Addr `help:"Address of this machine on which the blue and green ports of web services are published; it is to be one that the balancer reaches." default:"127.0.0.1" env:"HUBLEDGER_BIND" placeholder:"ADDRESS"`

	Weights       string        `help:"Address on which the balancer's agent checks are answered with weights, such as 127.0.0.1:9180." env:"HUBLEDGER_WEIGHTS" placeholder:"HOST:PORT"`
	HAProxySocket []string      `name:"haproxy-socket" help:"Runtime socket of HAProxy on this machine: a drain waits until its sessions have ended." env:"HUBLEDGER_HAPROXY_SOCKET" placeholder:"PATH"`
	HAProxyState  string        `name:"haproxy-state" help:"File in which the state of HAProxy's servers is kept, which it reads when it starts (server-state-file)." env:"HUBLEDGER_HAPROXY_STATE" placeholder:"FILE"`
	Drain         time.Duration `help:"After how long a drain ends the sessions that are left." default:"1m" env:"HUBLEDGER_DRAIN" placeholder:"DURATION"`

	hub *url.URL
}

// Validate is called by kong.
func (c *Agent) Validate() (err error) {
	if c.hub, err = enrolment.Hub(c.Hub, "hosts have credentials"); err != nil {
		return err
	}
	if c.Drain < time.Second || c.Drain > 24*time.Hour {
		return errors.New("--drain must be between 1s and 24h")
	}
	if c.HAProxyState != "" && len(c.HAProxySocket) == 0 {
		return errors.New("--haproxy-state is written from what HAProxy says: name its socket with --haproxy-socket")
	}
	if c.Weights == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(c.Weights); err != nil || port == "" || port == "0" {
		return fmt.Errorf("--weights: %q is not HOST:PORT, such as 127.0.0.1:9180", c.Weights)
	}
	return nil
}

func (c *Agent) Run(s *console.Session) error {
	logger := slog.New(quiet.New(slog.NewTextHandler(s.Err, nil)))
	engine, err := client.New(client.WithHost(c.Docker), client.WithUserAgent("hubledger-agent"))
	if err != nil {
		return fmt.Errorf("--docker: %w", err)
	}
	defer engine.Close()
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return err
	}
	lock, err := disk.LockDir(s.Data)
	if err != nil {
		return err
	}
	defer lock.Release()
	link := enrolment.Connection{Revoked: wire.ErrRevoked}
	sockets := make([]balancer.Socket, len(c.HAProxySocket))
	for k, path := range c.HAProxySocket {
		sockets[k] = balancer.Socket(path)
	}
	trust, authority, err := enrolment.Trust(c.CA)
	if err != nil {
		return err
	}
	here := enrolment.Machine{Kind: events.MachineHost, Data: s.Data, Hub: c.hub, Token: c.Token, Flag: "--token", Authority: authority}
	me, err := here.Open(s.Context)
	if err != nil {
		return err
	}
	if used := here.Used(me); used != "" {
		fmt.Fprintln(s.Err, used)
	}
	a, err := agent.Open(agent.Config{Dir: s.Data, Machine: me.Machine, Name: me.Name, Engine: engine, Hub: wire.Client{Conn: &link},
		URL: c.hub, TLS: trust, Bind: c.Bind, Sockets: sockets, StateFile: c.HAProxyState, Times: agent.Times{Deadline: c.Drain}, Logger: logger})
	if err != nil {
		return err
	}
	// The balancer is answered before the hub, and without it.
	if c.Weights != "" {
		l, err := net.Listen("tcp", c.Weights)
		if err != nil {
			return fmt.Errorf("--weights: %w", err)
		}
		go balancer.Serve(s.Context, l, a.Slots, logger)
	}
	conn, err := machines.Dial(machines.DialConfig{Address: me.NATS, ServerName: c.hub.Hostname(), CAs: trust.RootCAs, Machine: me.Machine, Seed: me.Seed, Logger: logger})
	if err != nil {
		return err
	}
	defer conn.Close()
	link.Conn = conn
	fmt.Fprintf(s.Out, "The host %s runs what %s says, on %s. Stop with Ctrl-C: its containers go on.\n", me.Name, c.hub, c.Docker)
	go memory.Run(s.Context, 0) // the machine is for what it runs
	a.Run(s.Context)
	return nil
}
