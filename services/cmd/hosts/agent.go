package hosts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"

	"github.com/moby/moby/client"

	"hubledger/events"
	"hubledger/services/cmd/console"
	"hubledger/services/cmd/enrolment"
	"hubledger/services/hostagent/agent"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/quiet"
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

	hub *url.URL
}

// Validate is called by kong.
func (c *Agent) Validate() (err error) {
	c.hub, err = enrolment.Hub(c.Hub, "hosts have credentials")
	return err
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
	conn, err := machines.Dial(machines.DialConfig{Address: me.NATS, ServerName: c.hub.Hostname(), CAs: trust.RootCAs, Machine: me.Machine, Seed: me.Seed, Logger: logger})
	if err != nil {
		return err
	}
	defer conn.Close()
	a, err := agent.Open(agent.Config{Dir: s.Data, Machine: me.Machine, Name: me.Name, Engine: engine, Hub: wire.Client{Conn: connection{conn}},
		URL: c.hub, TLS: trust, Bind: c.Bind, Logger: logger})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "The host %s runs what %s says, on %s. Stop with Ctrl-C: its containers go on.\n", me.Name, c.hub, c.Docker)
	a.Run(s.Context)
	return nil
}

// A connection tells a host that was revoked from a hub that does not answer.
type connection struct{ *machines.Conn }

// Request is of wire.Conn.
func (c connection) Request(ctx context.Context, operation string, data []byte) ([]byte, error) {
	answer, err := c.Conn.Request(ctx, operation, data)
	if errors.Is(err, machines.ErrRefused) {
		err = fmt.Errorf("%w: %w", wire.ErrRevoked, err)
	}
	return answer, err
}
