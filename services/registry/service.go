package registry

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
	"hubledger/services/registry/gc"
	"hubledger/services/registry/pulls"
)

// abandonedAfter is when an upload that nothing is written to is purged.
const abandonedAfter = 24 * time.Hour

// refusalsEvery is how soon a refusal is in the log, if one of its kind was not lately.
const refusalsEvery = 20 * time.Second

// Service is what the registry hands over to the program.
func (s *Registry) Service() service.Service {
	return service.Service{
		Name:       "registry",
		Routes:     s.routes(),
		NotServed:  s.notServed,
		ReadModels: []*projections.Projection{&images.Projection},
		Jobs: []service.Job{
			{Name: "write down pull counts", Every: time.Second, Run: s.FlushPulls},
			{Name: "write down refusals", Every: refusalsEvery, Run: s.writeRefusals},
			{Name: "purge abandoned uploads", Every: 10 * time.Minute, Run: s.purgeUploads},
			{Name: "drop old leases", Every: min(s.LeaseTerm, time.Hour), Run: s.dropLeases},
			{Name: "collect garbage", Every: s.GCInterval, Run: s.collectGarbage},
		},
		Managers:  []process.Manager{pulls.Manager(s.Pulls)},
		Metrics:   s.Metrics.collectors(),
		Sentences: sentences,
		Start:     s.GC.FinishSweeps,
		Stop:      s.FlushPulls,
	}
}

// FlushPulls writes down what was pulled since it was last called.
func (s *Registry) FlushPulls(ctx context.Context) error { return s.served.Flush(ctx, s.Pulls) }

// purgeUploads purges those of a store that keeps what is abandoned.
func (s *Registry) purgeUploads(ctx context.Context) error {
	store, ok := s.Blobs.(interface {
		PurgeUploads(ctx context.Context, olderThan time.Duration) (int, error)
	})
	if !ok {
		return nil
	}
	n, err := store.PurgeUploads(ctx, abandonedAfter)
	if n > 0 {
		s.Logger.Info("purged abandoned uploads", "count", n)
	}
	return err
}

func (s *Registry) dropLeases(ctx context.Context) error {
	_, err := s.Leases.Expire(ctx, time.Now().Add(-2*s.LeaseTerm))
	return err
}

// collectGarbage is the collection that comes by itself. When the disk's
// reserve is reached it gives up what could still be restored.
func (s *Registry) collectGarbage(ctx context.Context) error {
	window := s.UndeleteWindow
	if s.full() {
		window = 0
		s.Logger.Warn("the disk's reserve is reached: garbage collection takes deleted images now, they cannot be restored any more")
		if err := s.Leases.EndReading(ctx); err != nil {
			return err
		}
	}
	c, err := s.GC.Collect(ctx, window, func(int) {})
	if errors.Is(err, gc.ErrResting) {
		return nil // the next time
	}
	if c.Swept > 0 {
		s.Logger.Info("garbage collected", "blobs", c.Swept, "bytes", c.Freed)
	}
	return err
}

// full says that the disk's reserve is reached.
func (s *Registry) full() bool {
	store, ok := s.Blobs.(interface {
		Space() (left, free, total int64, err error)
	})
	if !ok {
		return false
	}
	left, _, _, err := store.Space()
	return err == nil && left <= 0
}

// Metrics is what the registry counts.
type Metrics struct {
	Pushes  prometheus.Counter // manifests accepted
	Uploads prometheus.Counter // blobs accepted
	Mounts  prometheus.Counter // blobs leased from another repository
	Swept   prometheus.Counter // blobs collected
	Freed   prometheus.Counter // bytes of them
}

// NewMetrics makes counters that begin at 0.
func NewMetrics() Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return Metrics{
		Pushes:  counter("hubledger_manifests_pushed_total", "Manifests accepted."),
		Uploads: counter("hubledger_blobs_uploaded_total", "Blobs accepted by upload."),
		Mounts:  counter("hubledger_blobs_mounted_total", "Blobs mounted from another repository."),
		Swept:   counter("hubledger_gc_blobs_swept_total", "Blobs taken by garbage collection."),
		Freed:   counter("hubledger_gc_freed_bytes_total", "Bytes freed by garbage collection."),
	}
}

func (m Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.Pushes, m.Uploads, m.Mounts, m.Swept, m.Freed}
}
