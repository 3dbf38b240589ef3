package access

import (
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"hubledger/projections/accounts"
	"hubledger/services/internal/command"
)

// View is the accounts projection as it runs.
type View interface {
	command.Follower
	// HasParked says whether any event could not be applied; it costs nothing.
	HasParked() bool
	// IsParked says whether the aggregate of that subject is parked.
	IsParked(subject string) bool
}

// Config says what Rights decides by.
type Config struct {
	Read   accounts.Reader
	View   View
	Log    command.End
	Logger *slog.Logger // nil: slog.Default()
}

// Rights decides by the accounts projection, and keeps what it read in memory.
// Committed has to be called with every commit of the projection.
type Rights struct {
	cfg         Config
	decisions   cache
	credentials cache
	started     time.Time
	looks       singleflight.Group
	caughtUp    atomic.Int64 // when the view was last known to have had the whole log, since started; -1 never
}

// New makes a Rights. Run has to run for Fresh to be nil.
func New(c Config) *Rights {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	r := &Rights{cfg: c, started: time.Now()}
	r.caughtUp.Store(-1)
	return r
}

// A Decision is what a principal may do with the name of a repository.
type Decision struct {
	// Level is None where the principal must not learn whether there is a
	// repository. Where Create is true it is what they would have with it.
	Level Level
	// Repository of that name that lives, whatever the level; nil when there is none.
	Repository *accounts.Repository
	// Create: none of that name lives, and the principal may create it.
	Create bool
	// Namespace of the name, whatever the level; nil when there is none.
	Namespace *accounts.Namespace
}

// Visible is what a principal may see, for searches and lists.
type Visible struct {
	All          bool     // every repository
	Public       bool     // the public ones
	Namespaces   []string // ids of those of which all repositories can be read
	Repositories []string // ids of single repositories that can be read
	Only         []string // full names that the credential is limited to; nil for no limit
}
