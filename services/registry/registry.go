// Package registry serves OCI Distribution 1.1 and Docker schema 2 below /v2/.
// Blobs are files; everything else it answers comes from the registry
// projection, and everything it decides is an event.
package registry

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/leases"
)

// MaxManifestSize is the largest manifest in bytes; larger ones get 413.
// The distribution-spec asks for at least this much ("Pushing Manifests").
const MaxManifestSize = 4 << 20

// Log is the log as the registry needs it.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
	// ReadOnly is why nothing can be appended, nil when it can.
	ReadOnly() error
}

// View is the registry projection's progress.
type View interface {
	// Wait returns when the event of that sequence is committed; an error
	// when it is parked or ctx ends.
	Wait(ctx context.Context, seq uint64) error
	Position() uint64
	HasParked() bool
}

// Access decides what a request may do, and says who is behind it.
type Access interface {
	// Authorize is nil when all the needs hold; a refusal is an *access.Denied.
	Authorize(r *http.Request, needs ...access.Need) (access.Principal, error)
}

// Rights says what a principal may see beyond what a request names. It is
// *access.Rights.
type Rights interface {
	// Repository decides about a full name.
	Repository(ctx context.Context, p access.Principal, name string) (access.Decision, error)
	// Visible is what a list may show.
	Visible(ctx context.Context, p access.Principal) (access.Visible, error)
}

// Config is what the registry works with; all fields are required but those
// with a default.
type Config struct {
	Log    Log
	View   View
	Read   images.Reader
	Blobs  *blobs.Store
	Leases *leases.Store
	Logger *slog.Logger
	// Access is asked once for every request, before anything else.
	Access Access
	// Rights says what lists may show, and what may be mounted from elsewhere.
	Rights Rights
	// Quotas says what a namespace may hold. Nil: as much as there is space.
	Quotas Quotas
	// PullLimits bounds how often manifests are fetched. Zero: as often as one likes.
	PullLimits PullLimits
	// DefaultVisibility is that of a repository which a push creates:
	// events.Public or events.Private, the default.
	DefaultVisibility string
	// Metrics counts what happens. Default NewMetrics.
	Metrics Metrics
	// MaxUploads bounds the uploads that one account has open at once. Default 1000.
	MaxUploads int
	// LeaseTerm is how long an uploaded blob is held for a manifest to come,
	// and how long a blob stays after its last hold ended. Default 24 h.
	LeaseTerm time.Duration
	// GCInterval is the time between two garbage collections that come by
	// themselves. 0 turns them off.
	GCInterval time.Duration
	// UndeleteWindow is how long a deletion can be undone. Default 30 days.
	UndeleteWindow time.Duration
	// Wait bounds how long an answer waits for the projection. Default 10 s.
	Wait time.Duration
}

// A Registry is the service; serve it below /v2/.
type Registry struct {
	Config
	cache      *cache
	collecting sync.Mutex
	pulls      *pullCounter
	limiter    *limiter
	ledger     *ledger
	open       *openUploads
}

// New makes a registry.
func New(c Config) *Registry {
	if c.LeaseTerm == 0 {
		c.LeaseTerm = 24 * time.Hour
	}
	if c.UndeleteWindow == 0 {
		c.UndeleteWindow = 30 * 24 * time.Hour
	}
	if c.MaxUploads == 0 {
		c.MaxUploads = 1000
	}
	if c.Wait == 0 {
		c.Wait = 10 * time.Second
	}
	if c.Metrics == (Metrics{}) {
		c.Metrics = NewMetrics()
	}
	c.DefaultVisibility = cmp.Or(c.DefaultVisibility, events.Private)
	return &Registry{Config: c, cache: newCache(maxCacheBytes), pulls: newPullCounter(),
		limiter: newLimiter(c.PullLimits), ledger: newLedger(), open: newOpenUploads(c.MaxUploads)}
}

// by signs what a principal decides here.
func by(who access.Principal) command.By { return who.By("/registry") }

// settle waits until the answer to a write can be read back.
func (s *Registry) settle(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	return s.View.Wait(ctx, seq)
}

// catchUp waits, bounded, until the projection has seen all that the log had
// when it was called. It says whether there was anything to wait for: only
// then is a second look worth it.
func (s *Registry) catchUp(ctx context.Context) bool {
	last, err := s.Log.LastSeq(ctx)
	if err != nil || last <= s.View.Position() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.View.Wait(ctx, last) == nil
}
