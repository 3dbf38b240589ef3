// Package registry serves OCI Distribution 1.1 and Docker schema 2 below /v2/.
// Blobs come from the blob store, everything else from the images read model;
// every decision is an event.
package registry

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/asof"
	"hubledger/services/internal/command"
	"hubledger/services/registry/cache"
	"hubledger/services/registry/gc"
	"hubledger/services/registry/leases"
	"hubledger/services/registry/past"
	"hubledger/services/registry/pulllimit"
	"hubledger/services/registry/pulls"
	"hubledger/services/registry/quota"
	"hubledger/services/registry/refusals"
	"hubledger/services/registry/uploadlimit"
)

// Log is the log as the registry needs it.
type Log interface {
	command.Log
	LastSeq(ctx context.Context) (uint64, error)
	// ReadOnly is why nothing can be appended, nil when it can.
	ReadOnly() error
}

// View is the progress of the images read model.
type View interface {
	// Wait returns when the event of that sequence is committed; an error
	// when it is parked or ctx ends.
	Wait(ctx context.Context, seq uint64) error
	Position() uint64
	HasParked() bool
}

// Access authenticates and authorizes requests.
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
	Images images.Reader
	Blobs  Blobs
	Leases *leases.Store
	Pulls  *pulls.Store
	// Times finds events by their times, for tags as of an earlier time.
	Times  asof.Log
	Logger *slog.Logger
	// Access authorizes every request before anything else is done.
	Access Access
	// Rights decides what lists show, and what may be mounted from elsewhere.
	Rights Rights
	// Quotas limits what namespaces hold. Nil: no limits.
	Quotas Quotas
	// PullLimits bounds how often manifests are fetched. Zero: no limits.
	PullLimits pulllimit.Config
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
	// Wait bounds how long an answer waits for the images read model. Default 10 s.
	Wait time.Duration
}

// maxCacheBytes bounds what is kept in memory of the images read model.
const maxCacheBytes = 32 << 20

// A Registry is the service; serve it below /v2/.
type Registry struct {
	Config
	// GC collects the blobs that nothing needs any more.
	GC       *gc.Collector
	cache    *cache.Cache
	served   *pulls.Counter
	limiter  *pulllimit.Limiter
	usage    *quota.Usage
	uploads  *uploadlimit.Limiter
	refusals refusals.Counter
	past     *past.Reader
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
	s := &Registry{Config: c, cache: cache.New(maxCacheBytes), served: pulls.NewCounter(),
		limiter: pulllimit.New(c.PullLimits), uploads: uploadlimit.New(c.MaxUploads)}
	s.past = past.New(past.Config{Images: c.Images, Leases: c.Leases, Log: c.Times, Window: c.UndeleteWindow, Full: s.full,
		Stat: func(ctx context.Context, d digest.Digest) (int64, error) { return s.Blobs.Stat(ctx, d) }})
	s.usage = quota.NewUsage(c.Images, s.leasedIn)
	s.GC = gc.New(gc.Config{Log: c.Log, View: c.View, Images: c.Images, Blobs: c.Blobs, Leases: c.Leases,
		LeaseTerm: c.LeaseTerm, Wait: c.Wait, Swept: s.countSwept})
	return s
}

func (s *Registry) countSwept(bytes int64) {
	s.Metrics.Swept.Inc()
	s.Metrics.Freed.Add(float64(bytes))
}

// Committed follows a commit of the images read model. It is called before
// anyone who waits for the commit goes on; parked says whether the read model
// has set any event aside.
func (s *Registry) Committed(c projections.Commit, parked bool) {
	s.usage.Committed(c, parked)
	s.cache.Committed(c, parked)
}

// by attributes a decision of this service to a principal.
func by(who access.Principal) command.By { return who.By("/registry") }

// awaitVisible waits, bounded, until the images read model has committed the
// event of that sequence: what was written can be read back then.
func (s *Registry) awaitVisible(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	return s.View.Wait(ctx, seq)
}

// catchUp waits, bounded, until the images read model has all that the log had
// when it was called.
func (s *Registry) catchUp(ctx context.Context) { command.CatchUp(ctx, s.Log, s.View) }

// decisionTime bounds a decision once it has begun.
const decisionTime = time.Minute

// decision is the context of what is finished once it has begun, whether the
// client still waits or not: an append that is broken off may be in the log.
func (s *Registry) decision(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), decisionTime)
}

// unpin ends a pin, unless it is unknown whether the event is in the log: then
// the pin holds to its term.
func (s *Registry) unpin(pin leases.Pin, err *error) {
	if !errors.Is(*err, events.ErrUncertain) {
		s.Leases.Unpin(pin)
	}
}
