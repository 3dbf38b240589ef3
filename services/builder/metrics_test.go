package builder

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/projections/builds"
)

// gathered are the metrics of builds by name and label. Of a histogram the count is taken.
func (w *world) gathered() map[string]float64 {
	w.t.Helper()
	registry, values := prometheus.NewRegistry(), map[string]float64{}
	for _, c := range []prometheus.Collector{queueMetrics{w.Builder}, w.counts.steps, w.counts.ended} {
		check(w.t, registry.Register(c))
	}
	families, err := registry.Gather()
	check(w.t, err)
	for _, f := range families {
		for _, m := range f.Metric {
			key := f.GetName()
			for _, l := range m.Label {
				key += " " + l.GetValue()
			}
			values[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// Metrics say what waits and why, and what builders did.
func TestMetrics(t *testing.T) {
	w := newWorld(t)
	local := w.Local
	w.Local = nil
	w.queue(20, "c1", rule("base"))
	w.queue(21, "c1", rule("other"))
	if got := fmt.Sprint(w.gathered()); got != "map[hubledger_builder_places:0 hubledger_builders_connected:0 hubledger_builds pushed:0 hubledger_builds running:0 hubledger_builds waiting:2 hubledger_builds_waiting no-builder:2]" {
		t.Error(got)
	}
	w.Local = local
	w.start()
	w.await(20, builds.Pushed)
	w.await(21, builds.Pushed)
	if got := w.gathered(); got["hubledger_builder_places"] != 2 || got["hubledger_builders_connected"] != 1 {
		t.Errorf("while a builder is there: %v", got)
	}
	w.stop()
	w.stations = newStations()
	if got := fmt.Sprint(w.gathered()); got != "map[hubledger_build_attempts_total pushed:2 hubledger_build_step_seconds build:2 hubledger_build_step_seconds fetch:2 "+
		"hubledger_builder_places:0 hubledger_builders_connected:0 hubledger_builds pushed:2 hubledger_builds running:0 hubledger_builds waiting:0]" {
		t.Error(got)
	}
}
