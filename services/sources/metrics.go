package sources

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/services/sources/hoststatus"
)

// counts are the metrics of the service.
type counts struct {
	sweeps *prometheus.CounterVec
	moves  prometheus.Counter
	took   prometheus.Histogram
	hooks  *prometheus.CounterVec
	status *prometheus.CounterVec
}

func newCounts() counts {
	c := counts{
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_sweeps_total", Help: "Looks at the refs of git sources, by how they ended."}, []string{"result"}),
		moves:  prometheus.NewCounter(prometheus.CounterOpts{Name: "hubledger_refs_moved_total", Help: "Branches and tags of git sources that were new, moved or deleted."}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "hubledger_sweep_seconds", Help: "How long a look at the refs of a git source took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}),
		hooks:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_hooks_total", Help: "Webhooks of git hosts, by what became of them."}, []string{"verdict"}),
		status: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_commit_statuses_total", Help: "Statuses of commits that were sent to git hosts, by how that ended."}, []string{"result"}),
	}
	for _, verdict := range verdicts {
		c.hooks.WithLabelValues(verdict)
	}
	return c
}

func (c counts) metrics() []prometheus.Collector {
	return []prometheus.Collector{c.sweeps, c.moves, c.took, c.hooks, c.status}
}

func (c counts) swept(w sweep, took time.Duration) {
	result := "nothing moved"
	switch {
	case w.Error != "":
		result = "failed"
	case w.Moved > 0:
		result = "moved"
	}
	c.sweeps.WithLabelValues(result).Inc()
	c.moves.Add(float64(w.Moved))
	c.took.Observe(took.Seconds())
}

func (c counts) told(err error) {
	var refused *hoststatus.Refused
	switch {
	case err == nil:
		c.status.WithLabelValues("taken").Inc()
	case errors.As(err, &refused):
		c.status.WithLabelValues("refused").Inc()
	default:
		c.status.WithLabelValues("failed").Inc()
	}
}
