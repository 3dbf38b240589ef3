package builders

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"hubledger/events"
	"hubledger/services/builder/cgroup"
	"hubledger/services/builder/drivers"
	"hubledger/services/builder/remote"
	"hubledger/services/builder/rig"
	"hubledger/services/builder/worker"
	"hubledger/services/cmd/console"
	"hubledger/services/cmd/enrolment"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/quiet"
	"hubledger/streams/disk"
	"hubledger/streams/machines"
)

// Builder is the command that makes this machine a builder.
type Builder struct {
	Run   runCmd   `cmd:"" default:"withargs" help:"Run builds of a hub on this machine."`
	Check checkCmd `cmd:"" help:"Say what this machine lacks for builds, and the command that installs it."`
}

// tools are where the programs are that build.
type tools struct {
	BuilderHooks string `name:"builder-hooks" help:"Whether builds here run Docker Hub's hooks and autotests, on or off. They own the engine that builds them." enum:"on,off" default:"off" env:"HUBLEDGER_BUILDER_HOOKS"`
	BuilderTools string `name:"builder-tools" help:"Directory of buildkitd, buildctl and docker-compose; default: that of this program, and PATH." env:"HUBLEDGER_BUILDER_TOOLS" placeholder:"DIR"`
}

// exists says that the directory of --builder-tools is missing.
func (t tools) exists() error {
	if t.BuilderTools == "" {
		return nil
	}
	if info, err := os.Stat(t.BuilderTools); err != nil {
		return fmt.Errorf("--builder-tools: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("--builder-tools: %s is no directory", t.BuilderTools)
	}
	return nil
}

func (t tools) find() drivers.Tools {
	dir := t.BuilderTools
	if self, err := os.Executable(); dir == "" && err == nil {
		dir = filepath.Dir(self)
	}
	return drivers.FindTools(dir, t.BuilderHooks == "on")
}

type checkCmd struct{ tools }

func (c *checkCmd) Run(s *console.Session) error {
	if err := c.exists(); err != nil {
		return err
	}
	can := c.find()
	if err := can.Check(); err != nil {
		return fmt.Errorf("this machine cannot build yet:\n%w", err)
	}
	offer := rig.Offer(can)
	fmt.Fprintf(s.Out, "This machine can build for %s, %d build%s at once.\n", strings.Join(offer.Platforms, ", "), offer.Places, console.If(offer.Places > 1, "s"))
	if groups, err := cgroup.Hierarchies(); err == nil {
		fmt.Fprintf(s.Out, "Builds are limited by control groups of %s.\n", cgroup.Versions(groups))
	}
	can.Hooks = true
	if err := can.CheckHooks(); err != nil && c.BuilderHooks == "on" {
		return err
	} else if err != nil {
		fmt.Fprintf(s.Out, "It takes no builds with hooks or autotests: %v.\n", err)
	} else {
		fmt.Fprintln(s.Out, "It can run hooks and autotests, with --builder-hooks on.")
	}
	return nil
}

type runCmd struct {
	tools
	Hub        string `help:"URL of the hub, such as https://hub.example.com." required:"" env:"HUBLEDGER_HUB" placeholder:"URL"`
	Enroll     string `help:"One-time token that builders enroll has printed; only the first time. Better in the variable, since other users see arguments." env:"HUBLEDGER_ENROLL" placeholder:"TOKEN"`
	CA         string `name:"ca" help:"Certificate (PEM) of the hub's own authority." env:"HUBLEDGER_CA" placeholder:"FILE"`
	Places     int    `help:"How many builds run at once; default: half as many as this machine has cores." env:"HUBLEDGER_PLACES" placeholder:"N"`
	AllowHosts string `name:"allow-hosts" help:"Hosts of this machine's own network that git sources may be on, as for serve." env:"HUBLEDGER_ALLOW_HOSTS" placeholder:"LIST"`

	hub    *url.URL
	egress *egress.Guard
}

// Validate is called by kong.
func (c *runCmd) Validate() error {
	var err error
	if c.hub, err = enrolment.Hub(c.Hub, "builds have credentials"); err != nil {
		return err
	}
	if c.Places < 0 || c.Places > 64 {
		return errors.New("--places must be 1 to 64")
	}
	if c.egress, err = egress.NewGuard(strings.FieldsFunc(c.AllowHosts, func(r rune) bool { return r == ',' || r == ' ' })); err != nil {
		return fmt.Errorf("--allow-hosts: %w", err)
	}
	return nil
}

func (c *runCmd) Run(s *console.Session) error {
	logger := slog.New(quiet.New(slog.NewTextHandler(s.Err, nil)))
	if err := c.exists(); err != nil {
		return err
	}
	programs := c.find()
	if err := programs.Check(); err != nil {
		return fmt.Errorf("this machine cannot build yet:\n%w", err)
	}
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
	here := enrolment.Machine{Kind: events.MachineBuilder, Data: s.Data, Hub: c.hub, Token: c.Enroll, Flag: "--enroll", Authority: authority}
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
	offer := rig.Offer(programs)
	if c.Places > 0 {
		offer.Places = c.Places
	}
	hub := remote.Client{Conn: enrolment.Connection{Conn: conn, Revoked: worker.ErrRevoked}}
	w, err := rig.Open(s.Context, rig.Config{Dir: filepath.Join(s.Data, "builds"), Tools: programs, Hub: c.hub, Registry: c.hub.Host, TLS: trust, Egress: c.egress, Logger: logger}, hub)
	if err != nil {
		if s.Context.Err() != nil {
			return nil
		}
		return err
	}
	fmt.Fprintf(s.Out, "The builder %s takes builds of %s, %d at once. Stop with Ctrl-C: it gives back what it has.\n", me.Name, c.hub, offer.Places)
	w.Run(s.Context, hub, offer)
	return nil
}
