package builder

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/events"
	"hubledger/projections/builds"
)

var (
	buildsDesc  = prometheus.NewDesc("hubledger_builds", "Builds that have not ended, by their state.", []string{"state"}, nil)
	waitingDesc = prometheus.NewDesc("hubledger_builds_waiting", "Builds that wait, by the reason why.", []string{"reason"}, nil)
	readyDesc   = prometheus.NewDesc("hubledger_builders_connected", "Builders that can be given builds, this node's own among them.", nil, nil)
	placesDesc  = prometheus.NewDesc("hubledger_builder_places", "Builds that those can run at once, all together.", nil, nil)
)

// queueMetrics are the metrics of builds that have not ended. They ask the read model.
type queueMetrics struct{ s *Builder }

// Describe is of prometheus.Collector.
func (queueMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- buildsDesc
	to <- waitingDesc
	to <- readyDesc
	to <- placesDesc
}

// Collect is of prometheus.Collector.
func (m queueMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, state := range []string{builds.Waiting, builds.Running, builds.Pushed} {
		if n, err := m.s.Read.CountInState(ctx, state); err == nil {
			to <- prometheus.MustNewConstMetric(buildsDesc, prometheus.GaugeValue, float64(n), state)
		}
	}
	able, places := m.s.stations.able(false), 0
	for _, b := range able {
		places += b.Places
	}
	to <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, float64(len(able)))
	to <- prometheus.MustNewConstMetric(placesDesc, prometheus.GaugeValue, float64(places))
	waiting, err := m.s.places(ctx)
	if err != nil {
		return
	}
	reasons := map[string]int{}
	for _, p := range waiting {
		reasons[string(p.Reason)]++
	}
	for reason, n := range reasons {
		to <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(n), reason)
	}
}

// counts are the metrics of what builders have said to this node.
type counts struct {
	steps *prometheus.HistogramVec // by kind
	ended *prometheus.CounterVec   // by outcome
}

func newCounts() *counts {
	return &counts{
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hubledger_build_step_seconds", Help: "How long steps of builds took, by what they did; those from the cache are left out.",
			Buckets: prometheus.ExponentialBuckets(0.1, 4, 9)}, []string{"kind"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_build_attempts_total", Help: "Attempts of builders at builds, by what became of them: pushed, tested, failed or given_back."}, []string{"outcome"}),
	}
}

// said counts what a builder has said and the log has.
func (c *counts) said(p events.Payload) {
	switch p := p.(type) {
	case events.BuildStepEnded:
		if !p.Cached {
			c.steps.WithLabelValues(kindOf(p.Kind)).Observe(float64(max(p.Took, 0)) / 1000)
		}
	case events.BuildPushed:
		c.ended.WithLabelValues("pushed").Inc()
	case events.BuildLost:
		c.ended.WithLabelValues("given_back").Inc()
	case events.BuildFinished:
		outcome := "failed"
		if p.Outcome == events.BuildSucceeded {
			outcome = "tested"
		}
		c.ended.WithLabelValues(outcome).Inc()
	}
}

// kindOf is a kind of step: a builder may say any.
func kindOf(kind string) string {
	switch kind {
	case events.StepFetch, events.StepBuild, events.StepTest, events.StepPush:
		return kind
	}
	return "other"
}
