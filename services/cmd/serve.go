package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hubledger/services/audit/witness"
	"hubledger/services/builder/drivers"
	"hubledger/services/builder/fetch"
	"hubledger/services/builder/sbom"
	"hubledger/services/cmd/certificates"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/quiet"
	"hubledger/services/registry/pulllimit"
	"hubledger/services/server"
	"hubledger/services/server/settings"
	"hubledger/services/web/frame"
)

type serveCmd struct {
	Listen               string        `help:"Address to listen on." default:"127.0.0.1:5050" env:"HUBLEDGER_LISTEN" placeholder:"HOST:PORT"`
	PublicURL            string        `name:"public-url" help:"URL by which clients reach the hub through a proxy; when empty, the host of each request." env:"HUBLEDGER_PUBLIC_URL" placeholder:"URL"`
	TrustedProxies       string        `name:"trusted-proxies" help:"Proxies whose forwarded headers the hub trusts, comma-separated: addresses, networks, and the words loopback and private." env:"HUBLEDGER_TRUSTED_PROXIES" placeholder:"LIST"`
	TLSCert              string        `name:"tls-cert" help:"Certificate file (PEM), reloaded when it changes. tls init creates one." env:"HUBLEDGER_TLS_CERT" placeholder:"FILE"`
	TLSKey               string        `name:"tls-key" help:"The certificate's key file (PEM)." env:"HUBLEDGER_TLS_KEY" placeholder:"FILE"`
	NATSListen           string        `name:"nats-listen" help:"Address to listen on for builders on other machines and for hosts, by TLS; none can connect when empty." env:"HUBLEDGER_NATS_LISTEN" placeholder:"HOST:PORT"`
	NATSURL              string        `name:"nats-url" help:"NATS server or cluster that stores the log; embedded when empty." env:"HUBLEDGER_NATS_URL" placeholder:"URL"`
	NATSReplicas         int           `name:"nats-replicas" help:"Servers of the NATS cluster that keep the log, when this node creates it; 0 means 3 on a cluster and 1 on a single server." default:"0" env:"HUBLEDGER_NATS_REPLICAS"`
	LogMaxBytes          int64         `name:"log-max-bytes" help:"Limit of the log in bytes; 0 means the free disk space, or no limit with --nats-url." default:"0" env:"HUBLEDGER_LOG_MAX_BYTES"`
	PostgresURL          string        `name:"postgres-url" help:"PostgreSQL database that stores the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
	SecretsKeyFile       string        `name:"secrets-key-file" help:"File of the key that encrypts password hashes and signing keys; secrets.key in the data directory when empty. Back it up apart from the data." env:"HUBLEDGER_SECRETS_KEY_FILE" placeholder:"FILE"`
	DefaultVisibility    string        `name:"default-visibility" help:"Visibility of repositories that a push creates: ${enum}." enum:"private,public" default:"private" env:"HUBLEDGER_DEFAULT_VISIBILITY"`
	ReadmeImageHosts     []string      `name:"readme-image-hosts" help:"Hosts from which browsers load the pictures of READMEs, comma-separated, such as img.shields.io or *.example.com; pictures of others are links." env:"HUBLEDGER_README_IMAGE_HOSTS" placeholder:"LIST"`
	PullLimitAnonymous   int           `name:"pull-limit-anonymous" help:"Manifests that one address may pull without login in a window; 0 for no limit." default:"0" env:"HUBLEDGER_PULL_LIMIT_ANONYMOUS"`
	PullLimitUser        int           `name:"pull-limit-user" help:"Manifests that one account may pull in a window; 0 for no limit." default:"0" env:"HUBLEDGER_PULL_LIMIT_USER"`
	PullLimitWindow      time.Duration `name:"pull-limit-window" help:"Length of the window of the pull limits." default:"6h" env:"HUBLEDGER_PULL_LIMIT_WINDOW"`
	UndeleteWindow       time.Duration `help:"How long a deletion can be undone." default:"720h" env:"HUBLEDGER_UNDELETE_WINDOW"`
	LeaseTerm            time.Duration `help:"How long an uploaded blob is kept before a manifest references it, and how long a blob is kept after its last use." default:"24h" env:"HUBLEDGER_LEASE_TERM"`
	ConnectionsByNetwork int           `name:"connections-per-network" help:"Connections that one network may have open; 0 for no limit. This machine and trusted proxies have none." default:"1000" env:"HUBLEDGER_CONNECTIONS_PER_NETWORK"`
	RequestsAtOnce       int           `help:"Requests that one account, or one network, may have in progress at the same time; lists, searches and other costly ones have a share of it. 0 for no limit." default:"1000" env:"HUBLEDGER_REQUESTS_AT_ONCE"`
	MemoryBudget         int64         `help:"Bytes of memory for large requests and answers, of which one account or network may take a quarter; 0 for no limit." default:"268435456" env:"HUBLEDGER_MEMORY_BUDGET"`
	LogBudget            int64         `help:"Bytes that one account may write to the log in 24 hours, half of them at once; 0 for no limit. Administrators have none." default:"1073741824" env:"HUBLEDGER_LOG_BUDGET"`
	GCInterval           time.Duration `name:"gc-interval" help:"Time between garbage collections; 0 turns them off." default:"1h" env:"HUBLEDGER_GC_INTERVAL"`
	CleanupInterval      time.Duration `name:"cleanup-interval" help:"Time between runs of the repositories' cleanup rules; 0 turns them off." default:"24h" env:"HUBLEDGER_CLEANUP_INTERVAL"`
	SweepInterval        time.Duration `name:"sweep-interval" help:"Time between two looks at the branches and tags of a git source while they move; it grows to an hour when they do not." default:"5m" env:"HUBLEDGER_SWEEP_INTERVAL"`
	BuildLogAge          time.Duration `name:"build-log-age" help:"How long the logs of builds that have ended are kept. 0: for ever." default:"8760h" env:"HUBLEDGER_BUILD_LOG_AGE"`
	HookBodyAge          time.Duration `name:"hook-body-age" help:"How long the bodies of webhooks are kept; at least 1h. On NATS servers elsewhere it counts when the first node starts." default:"720h" env:"HUBLEDGER_HOOK_BODY_AGE"`
	HookBodyBytes        int64         `name:"hook-body-bytes" help:"Bytes that the bodies of webhooks take on the disk, at least 67108864; the oldest go first. On NATS servers elsewhere it counts when the first node starts." default:"1073741824" env:"HUBLEDGER_HOOK_BODY_BYTES"`
	Builder              string        `help:"Whether this node builds: auto, if it listens on loopback only and has what builds need, or off." enum:"auto,off" default:"auto" env:"HUBLEDGER_BUILDER"`
	BuilderHooks         string        `name:"builder-hooks" help:"Whether builds here run Docker Hub's hooks and autotests, on or off. They own the engine that builds them; docs/builders.md says what they reach." enum:"on,off" default:"off" env:"HUBLEDGER_BUILDER_HOOKS"`
	BuilderTools         string        `name:"builder-tools" help:"Directory of buildkitd, buildctl and docker-compose; default: that of this program, and PATH." env:"HUBLEDGER_BUILDER_TOOLS" placeholder:"DIR"`
	SBOMScanner          string        `name:"sbom-scanner" help:"Image of this hub that makes the SBOMs which build rules ask for; none when empty." env:"HUBLEDGER_SBOM_SCANNER" placeholder:"NAMESPACE/NAME:TAG"`
	AllowHosts           string        `name:"allow-hosts" help:"Hosts of your own network that git sources may be on, comma-separated: names, addresses and networks; a name or an address may have a port." env:"HUBLEDGER_ALLOW_HOSTS" placeholder:"LIST"`
	ComposeAllow         []string      `name:"compose-allow" help:"What Compose files of applications may have beside what every one may, comma-separated: bind (directories of the host), cap_add, privileged." enum:"bind,cap_add,privileged" env:"HUBLEDGER_COMPOSE_ALLOW" placeholder:"LIST"`
	BackupDir            string        `name:"backup-dir" help:"Directory for regular backups; none are made when empty." type:"path" env:"HUBLEDGER_BACKUP_DIR" placeholder:"DIR"`
	BackupInterval       time.Duration `name:"backup-interval" help:"Time between two regular backups." default:"24h" env:"HUBLEDGER_BACKUP_INTERVAL"`
	BackupKeep           int           `name:"backup-keep" help:"How many regular backups can be restored; what only older ones need is removed. 0: the last one, beside those that are kept already, and no blob is removed." default:"0" env:"HUBLEDGER_BACKUP_KEEP"`
	Witness              []string      `help:"Witness that is asked to cosign each checkpoint of the log: its URL, a space, and its key. Several are separated by commas." env:"HUBLEDGER_WITNESS" placeholder:"'URL KEY'"`
	Reserve              int64         `help:"Bytes of disk space to keep free; 0 means the larger of 2 GiB and 5 %, a negative number none." default:"0" env:"HUBLEDGER_RESERVE"`
	Services             []string      `help:"Services that this node runs, separated by commas; all if empty. docs/operations.md lists them, and so does a wrong name." env:"HUBLEDGER_SERVICES" placeholder:"LIST"`
	LogLevel             logLevel      `help:"Least severe messages to log: debug, info, warn or error." default:"info" env:"HUBLEDGER_LOG_LEVEL"`

	public  *url.URL // parsed by Validate
	trusted []netip.Prefix
	egress  *egress.Guard
	scanner *sbom.Scanner

	witnesses []*witness.Witness
}

const (
	maxReplicas = 5         // that a NATS stream can have
	minLogBytes = 256 << 20 // a sixteenth of it, what is kept for deletions, is two of the largest events
)

// Validate is called by kong.
func (c *serveCmd) Validate() (err error) {
	switch {
	case c.LeaseTerm < time.Second:
		return errors.New("--lease-term must be at least 1s")
	case c.UndeleteWindow < time.Second:
		return errors.New("--undelete-window must be at least 1s")
	case c.GCInterval < 0 || c.GCInterval > 0 && c.GCInterval < 100*time.Millisecond:
		return errors.New("--gc-interval must be 0 or at least 100ms")
	case c.CleanupInterval < 0 || c.CleanupInterval > 0 && c.CleanupInterval < time.Second:
		return errors.New("--cleanup-interval must be 0 or at least 1s")
	case c.SweepInterval < time.Second:
		return errors.New("--sweep-interval must be at least 1s")
	case c.BuildLogAge < 0:
		return errors.New("--build-log-age must not be negative")
	case c.HookBodyAge < time.Hour:
		return errors.New("--hook-body-age must be at least 1h")
	case c.HookBodyBytes < 64<<20:
		return errors.New("--hook-body-bytes must be at least 67108864: one webhook has up to 25 MiB")
	case c.PullLimitAnonymous < 0 || c.PullLimitUser < 0:
		return errors.New("--pull-limit-anonymous and --pull-limit-user must not be negative")
	case c.ConnectionsByNetwork < 0 || c.RequestsAtOnce < 0 || c.MemoryBudget < 0 || c.LogBudget < 0:
		return errors.New("--connections-per-network, --requests-at-once, --memory-budget and --log-budget must not be negative")
	case c.PullLimitWindow < time.Second:
		return errors.New("--pull-limit-window must be at least 1s")
	case c.NATSReplicas < 0 || c.NATSReplicas > maxReplicas:
		return fmt.Errorf("--nats-replicas must be 0 to %d", maxReplicas)
	case c.NATSListen != "" && c.NATSURL != "":
		return errors.New("--nats-listen is for a hub with a log of its own: builders and hosts cannot connect to one of several nodes, so leave it out with --nats-url")
	case c.NATSReplicas != 0 && c.NATSURL == "":
		return errors.New("--nats-replicas is for a NATS cluster: give --nats-url too")
	case c.LogMaxBytes != 0 && c.LogMaxBytes < minLogBytes:
		return fmt.Errorf("--log-max-bytes must be 0 or at least %d", minLogBytes)
	case c.BackupKeep < 0:
		return errors.New("--backup-keep must not be negative")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key must be given together")
	}
	c.Services = slices.DeleteFunc(c.Services, func(name string) bool { return strings.TrimSpace(name) == "" })
	for k, name := range c.Services {
		c.Services[k] = strings.TrimSpace(name)
	}
	if err := server.CheckServices(c.Services); err != nil {
		return err
	}
	if err := settings.CheckListen(c.Listen); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if c.NATSListen != "" {
		if err := settings.CheckListen(c.NATSListen); err != nil {
			return fmt.Errorf("--nats-listen: %w", err)
		}
	}
	if c.NATSURL != "" {
		if err := settings.CheckNATSURL(c.NATSURL); err != nil {
			return fmt.Errorf("--nats-url: %w", err)
		}
	}
	if c.PostgresURL != "" {
		if err := settings.CheckPostgresURL(c.PostgresURL); err != nil {
			return fmt.Errorf("--postgres-url: %w", err)
		}
	}
	if c.public, err = origin.ParsePublicURL(c.PublicURL); err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	if c.trusted, err = origin.ParseTrusted(c.TrustedProxies); err != nil {
		return fmt.Errorf("--trusted-proxies: %w", err)
	}
	if c.egress, err = egress.NewGuard(listed(c.AllowHosts)); err != nil {
		return fmt.Errorf("--allow-hosts: %w", err)
	}
	if c.witnesses, err = witness.ParseAll(c.Witness); err != nil {
		return fmt.Errorf("--witness: %w", err)
	}
	if err := frame.CheckPictureHosts(c.ReadmeImageHosts); err != nil {
		return fmt.Errorf("--readme-image-hosts: %w", err)
	}
	if c.SBOMScanner != "" {
		scanner, err := sbom.ParseScanner(c.SBOMScanner)
		if err != nil {
			return fmt.Errorf("--sbom-scanner: %w", err)
		}
		c.scanner = &scanner
	}
	return nil
}

// listed are the entries of a list that is separated by commas.
func listed(text string) (list []string) {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			list = append(list, one)
		}
	}
	return list
}

func (c *serveCmd) config(s *console.Session, logger *slog.Logger) server.Config {
	cert, key := c.TLSCert, c.TLSKey
	if cert == "" {
		cert, key = certificates.Files(s.Data)
	}
	return server.Config{Data: s.Data, NATSListen: c.NATSListen, MachineCert: cert, MachineKey: key, Services: c.Services, Listen: c.Listen, TLSCert: c.TLSCert, TLSKey: c.TLSKey,
		Public: c.public, Trusted: c.trusted, NATSURL: c.NATSURL, NATSReplicas: c.NATSReplicas, LogMaxBytes: c.LogMaxBytes,
		PostgresURL:    c.PostgresURL,
		SecretsKeyFile: cmp.Or(c.SecretsKeyFile, filepath.Join(s.Data, "secrets.key")), AdminPassword: os.Getenv("HUBLEDGER_ADMIN_PASSWORD"),
		DefaultVisibility:    c.DefaultVisibility,
		ReadmeImageHosts:     c.ReadmeImageHosts,
		PullLimits:           pulllimit.Config{Anonymous: c.PullLimitAnonymous, User: c.PullLimitUser, Window: c.PullLimitWindow},
		ConnectionsByNetwork: c.ConnectionsByNetwork,
		Budget:               budget.Config{AtOnce: c.RequestsAtOnce, Memory: c.MemoryBudget, LogBytes: c.LogBudget},
		LeaseTerm:            c.LeaseTerm, UndeleteWindow: c.UndeleteWindow, GCInterval: c.GCInterval, CleanupInterval: c.CleanupInterval,
		SweepInterval: c.SweepInterval, BuildLogAge: c.BuildLogAge, HookBodyAge: c.HookBodyAge, HookBodyBytes: c.HookBodyBytes, Egress: c.egress, ComposeAllow: c.ComposeAllow, Witnesses: c.witnesses, Scanner: c.scanner, BackupDir: c.BackupDir, BackupInterval: c.BackupInterval, BackupKeep: c.BackupKeep,
		Settings: []apitypes.SystemSetting{{Name: "--builder-hooks", Value: c.BuilderHooks}, {Name: "--builder-tools", Value: cmp.Or(c.BuilderTools, "that of the program, and PATH")},
			{Name: "--allow-hosts", Value: cmp.Or(strings.Join(listed(c.AllowHosts), ", "), "none")}, {Name: "--log-level", Value: c.LogLevel.Level.String()}},
		Reserve: c.Reserve, Version: buildInfo().Version, Logger: logger}
}

func (c *serveCmd) Run(s *console.Session) error {
	logger := slog.New(quiet.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: c.LogLevel.Level})))
	defer s.OwnFiles()()
	b := s.Bar("starting")
	config := c.config(s, logger)
	c.build(&config, logger)
	config.Progress = func(what string, done, total int64) {
		b.Label = what
		b.Set(done, total, "")
	}
	return server.Serve(s.Context, config, func(r server.Ready) {
		b.End()
		greet(s, r, len(c.Services) > 0)
	})
}

// build lets the node build if it can.
func (c *serveCmd) build(config *server.Config, logger *slog.Logger) {
	config.Fetches = c.Builder != "off" && fetch.Check() == nil
	if c.Builder == "off" {
		return
	}
	if err := c.buildHere(config); err != nil {
		logger.Info("this node builds nothing", "reason", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

func (c *serveCmd) buildHere(config *server.Config) (err error) {
	const elsewhere = "run builders on other machines: --nats-listen and `hubledger builders enroll`, see docs/builders.md"
	switch {
	case c.NATSURL != "":
		return errors.New("its log is on NATS servers elsewhere (--nats-url)")
	case c.TLSCert != "":
		return errors.New("it serves with TLS, and builds only for a hub on loopback without; " + elsewhere)
	}
	dir := c.BuilderTools
	if self, err := os.Executable(); dir == "" && err == nil {
		dir = filepath.Dir(self)
	}
	config.Builds, err = server.BuildsHere(c.Listen, drivers.FindTools(dir, c.BuilderHooks == "on"))
	return err
}

// A logLevel is the least severe level to log.
type logLevel struct{ slog.Level }

// UnmarshalText is called by kong.
func (l *logLevel) UnmarshalText(text []byte) error {
	if err := l.Level.UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is none of debug, info, warn and error", text)
	}
	return nil
}

// greet tells people what to type next. chosen says that the node runs only the
// services that were chosen by --services.
func greet(s *console.Session, r server.Ready, chosen bool) {
	if s.JSON {
		s.Print(map[string]any{"url": r.URL, "data": s.Data, "ready_ms": r.Took.Milliseconds(), "readOnly": r.ReadOnly != nil, "services": r.Services})
		return
	}
	if r.ReadOnly != nil {
		fmt.Fprintf(s.Out, "Hubledger runs READ-ONLY on %s. %s\n%v\n", r.URL, r.Mode, r.ReadOnly)
		return
	}
	fmt.Fprintf(s.Out, "Hubledger is ready on %s (%d ms), data in %s\n", r.URL, r.Took.Milliseconds(), s.Data)
	if chosen {
		fmt.Fprintf(s.Out, "This node runs: %s\n", strings.Join(r.Services, ", "))
	}
	if r.Password != "" {
		fmt.Fprintf(s.Out, "\nLog in as %s with the password %s\n(it is in %s until you change it: %s users reset-password %s)\n",
			r.FirstAdmin, r.Password, r.PasswordFile, s.Program(), r.FirstAdmin)
	}
	if !chosen {
		fmt.Fprintf(s.Out, `
Try:
  docker login %s --username admin
  docker tag IMAGE %s/admin/app:1.0
  docker push %s/admin/app:1.0
  %s events ls
`, r.Docker, r.Docker, r.Docker, s.Program())
	}
	fmt.Fprint(s.Out, "\nStop with Ctrl-C.\n")
}
