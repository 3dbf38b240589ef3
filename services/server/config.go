package server

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"hubledger/projections"
	"hubledger/services/audit/witness"
	"hubledger/services/builder/sbom"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/egress"
	"hubledger/services/registry/pulllimit"
	"hubledger/services/server/settings"
)

// Config is the configuration of a node: the options of serve.
type Config struct {
	// Data is the data directory.
	Data string
	// Services are the names of the services that this node runs; nil for all.
	Services []string
	// Listen is the address to listen on, such as 127.0.0.1:5050.
	Listen string
	// TLSCert and TLSKey are PEM files; "" for plain HTTP.
	TLSCert, TLSKey string
	// Public is the URL by which clients reach the hub; nil: the host of each request.
	Public *url.URL
	// Trusted are the networks of proxies whose forwarded headers are trusted.
	Trusted []netip.Prefix
	// NATSListen is the address to listen on for machines, such as builders; "": none can
	// connect. MachineCert and MachineKey are PEM files, and needed with it.
	NATSListen              string
	MachineCert, MachineKey string
	// NATSURL is the NATS server that stores the log; "": an embedded one.
	NATSURL string
	// NATSReplicas is how many of those servers keep the log, if this node makes
	// it; 0: 3 on a cluster, 1 on a single server.
	NATSReplicas int
	// LogMaxBytes limits the log, in bytes; 0: the free space of the disk, with
	// NATSURL no limit.
	LogMaxBytes int64
	// PostgresURL is where projections and the operational stores are; "": SQLite files.
	PostgresURL string
	// SecretsKeyFile is the key that secrets are encrypted with.
	SecretsKeyFile string
	// AdminPassword is the first administrator's password; "": one is generated.
	AdminPassword string
	// DefaultVisibility is the visibility of a repository that a push creates.
	DefaultVisibility string
	// ReadmeImageHosts are hosts from which pages show pictures of READMEs; see frame.CheckPictureHosts.
	ReadmeImageHosts []string
	PullLimits       pulllimit.Config
	// ConnectionsByNetwork bounds the connections of one network; 0: no bound.
	ConnectionsByNetwork int
	// Budget bounds what one client takes of the node. Zero: no bounds.
	Budget          budget.Config
	LeaseTerm       time.Duration
	UndeleteWindow  time.Duration
	GCInterval      time.Duration // 0: no regular garbage collection
	CleanupInterval time.Duration // 0: cleanup rules are not applied regularly
	// SweepInterval is how often the refs of a git source are looked at while they move.
	SweepInterval time.Duration
	// BuildLogAge is how long the log of a build that has ended is kept. 0: for ever.
	BuildLogAge time.Duration
	// HookBodyAge is how long the body of a webhook is kept, and HookBodyBytes bounds all
	// of them. 0: 30 days, 1 GiB.
	HookBodyAge   time.Duration
	HookBodyBytes int64
	// Scanner is the image of the hub that makes SBOMs; nil: there is none.
	Scanner *sbom.Scanner
	// Builds says how this node builds; nil: it does not.
	Builds *Builds
	// Fetches says that this node fetches commits to look at them; see fetch.Check.
	Fetches bool
	// Egress judges connections to hosts that people name, such as git hosts.
	Egress *egress.Guard
	// Reserve is how many bytes of disk space to keep free; 0: the larger of 2 GiB
	// and 5 %, negative: none.
	Reserve int64
	// BackupDir is where backups are made, every BackupInterval; "": nowhere.
	BackupDir      string
	BackupInterval time.Duration
	// BackupKeep is how many of them can be restored; 0: the last one, beside those that are kept already; blobs are never removed.
	BackupKeep int
	// Witnesses are asked to cosign what is signed of the log.
	Witnesses []*witness.Witness
	// ComposeAllow is what Compose files of applications may have beside what every one may:
	// of compose.Allowable.
	ComposeAllow []string
	// URL is how people reach the node, where a request does not say it.
	URL string
	// Settings are options of serve that only the command knows; the page on the system
	// shows them after the others.
	Settings []apitypes.SystemSetting
	// Docker is its host, and port if it needs one, to type in docker commands. Serve
	// sets it.
	Docker string
	// Version of the program, for the OpenAPI document.
	Version string
	Logger  *slog.Logger
	// Progress is called with the progress of a long start; total is 0 if unknown.
	Progress func(what string, done, total int64)
}

// makeData makes the data directory.
func (c *Config) makeData() error {
	err := os.MkdirAll(c.Data, 0o700)
	if err == nil {
		return nil
	}
	return &settings.Error{Setting: "--data", Err: fmt.Errorf("make the data directory: %w: name another one, or make it and give it to the user that runs the hub", err)}
}

func (c *Config) dialect() projections.Dialect {
	if c.PostgresURL != "" {
		return projections.Postgres
	}
	return projections.SQLite
}

// runs says whether this node runs a service.
func (c *Config) runs(name string) bool {
	return len(c.Services) == 0 || slices.Contains(c.Services, name)
}
