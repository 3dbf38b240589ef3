// Package registry serves OCI Distribution 1.1 and Docker schema 2 below /v2/.
// Blobs are files; everything else it answers comes from the registry
// projection, and everything it decides is an event.
package registry

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	read "hubledger/projections/registry"
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

// Config is what the registry works with; all fields are required but those
// with a default.
type Config struct {
	Log    Log
	View   View
	Read   read.Reader
	Blobs  *blobs.Store
	Leases *leases.Store
	Logger *slog.Logger
	// Metrics counts what happens.
	Metrics Metrics
	// LeaseTerm is how long an uploaded blob is held for a manifest to come,
	// and how long a blob stays after its last hold ended. Default 24 h.
	LeaseTerm time.Duration
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
}

// New makes a registry.
func New(c Config) *Registry {
	if c.LeaseTerm == 0 {
		c.LeaseTerm = 24 * time.Hour
	}
	if c.UndeleteWindow == 0 {
		c.UndeleteWindow = 30 * 24 * time.Hour
	}
	if c.Wait == 0 {
		c.Wait = 10 * time.Second
	}
	return &Registry{Config: c, cache: newCache(maxCacheBytes), pulls: newPullCounter()}
}

// by says who stands behind a request. Until accounts exist it is anybody.
func by(*http.Request) command.By { return command.By{Source: "/registry", Actor: "anonymous"} }

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
