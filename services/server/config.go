package server

import (
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"hubledger/projections"
	"hubledger/projections/pgstore"
	"hubledger/projections/sqlitestore"
	"hubledger/services/registry/pulllimit"
)

// Config is what serve was told.
type Config struct {
	// Data is the data directory.
	Data string
	// Services are those that this node runs, by name; nil for all.
	Services []string
	// Listen is the address to listen on, such as 127.0.0.1:5050.
	Listen string
	// TLSCert and TLSKey are PEM files; "" for plain HTTP.
	TLSCert, TLSKey string
	// Public is the URL by which clients reach the hub; nil: as each request says.
	Public *url.URL
	// Trusted are the proxies whose forwarded headers count.
	Trusted []netip.Prefix
	// NATSURL is where the log is; "": embedded.
	NATSURL string
	// PostgresURL is where projections and the operational stores are; "": SQLite files.
	PostgresURL string
	// SecretsKeyFile is the key that secrets are encrypted with.
	SecretsKeyFile string
	// AdminPassword is the first administrator's; "": one is made.
	AdminPassword string
	// DefaultVisibility is that of a repository that a push creates.
	DefaultVisibility string
	PullLimits        pulllimit.Config
	LeaseTerm         time.Duration
	UndeleteWindow    time.Duration
	GCInterval        time.Duration // 0: no garbage collection by itself
	CleanupInterval   time.Duration // 0: no cleanup rules are applied by themselves
	// Reserve is how many bytes the disk keeps free; 0 is the default rule, negative none.
	Reserve int64
	// Version of the program, for the OpenAPI document.
	Version string
	Logger  *slog.Logger
	// Progress is told how far a long start is; total is 0 when that is not known.
	Progress func(what string, done, total int64)
}

// Storage is where projections are kept: SQLite files in the data directory, or
// schemas of a PostgreSQL database.
func Storage(data, postgres string) projections.Storage {
	if postgres != "" {
		return pgstore.URL(postgres)
	}
	return sqlitestore.Dir(filepath.Join(data, "projections"))
}

func (c *Config) dialect() projections.Dialect {
	if c.PostgresURL != "" {
		return projections.Postgres
	}
	return projections.SQLite
}

// runs says whether this node is to run a service.
func (c *Config) runs(name string) bool {
	return c.Services == nil || slices.Contains(c.Services, name)
}
