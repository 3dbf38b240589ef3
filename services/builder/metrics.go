package builder

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/projections/builds"
)

var buildsDesc = prometheus.NewDesc("hubledger_builds", "Builds that have not ended, by their state.", []string{"state"}, nil)

// states is the metric of builds that have not ended. It asks the read model.
type states struct{ read builds.Reader }

// Describe is of prometheus.Collector.
func (states) Describe(to chan<- *prometheus.Desc) { to <- buildsDesc }

// Collect is of prometheus.Collector.
func (s states) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, state := range []string{builds.Waiting, builds.Running, builds.Pushed} {
		if n, err := s.read.CountInState(ctx, state); err == nil {
			to <- prometheus.MustNewConstMetric(buildsDesc, prometheus.GaugeValue, float64(n), state)
		}
	}
}
