package registry

import "github.com/prometheus/client_golang/prometheus"

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
