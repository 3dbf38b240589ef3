package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descLag      = prometheus.NewDesc("hubledger_projection_lag_events", "Events of the log that a projection has not committed.", []string{"projection"}, nil)
	descPosition = prometheus.NewDesc("hubledger_projection_position", "Sequence of the last event that a projection has committed.", []string{"projection"}, nil)
	descParked   = prometheus.NewDesc("hubledger_projection_parked", "1 when a projection has parked events, else 0.", []string{"projection"}, nil)
	descLast     = prometheus.NewDesc("hubledger_log_last_sequence", "Sequence of the log's last event.", nil, nil)
	descLog      = prometheus.NewDesc("hubledger_log_bytes", "Bytes of the log on disk.", nil, nil)
	descReadOnly = prometheus.NewDesc("hubledger_log_read_only", "1 when the log guard refuses appends, else 0.", nil, nil)
	descReady    = prometheus.NewDesc("hubledger_ready", "1 when the node can be pushed to, else 0.", nil, nil)
	descBlobs    = prometheus.NewDesc("hubledger_blobs", "Blobs in the store.", nil, nil)
	descBytes    = prometheus.NewDesc("hubledger_blob_bytes", "Bytes of the blobs in the store.", nil, nil)
	descDue      = prometheus.NewDesc("hubledger_process_manager_due_tasks", "Tasks that a process manager has to do, as of its last look; on the node that leads it.", []string{"manager"}, nil)
	descDead     = prometheus.NewDesc("hubledger_process_manager_dead_letters", "Tasks that failed too often and wait for the operator.", []string{"manager"}, nil)
	descLeading  = prometheus.NewDesc("hubledger_process_manager_leading", "1 when this node leads the process manager, else 0.", []string{"manager"}, nil)
	descFree     = prometheus.NewDesc("hubledger_disk_left_bytes", "Bytes that uploads may still write before the reserve is reached.", nil, nil)
)

// collectors are the metrics of the node and of its services, beside those that
// meter counts.
func (n *Node) collectors() []prometheus.Collector {
	list := []prometheus.Collector{&gauges{n}, n.limits}
	for _, s := range n.services {
		list = append(list, s.Metrics...)
	}
	return list
}

// gauges reads the node's state whenever metrics are collected.
type gauges struct{ node *Node }

func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLag, descPosition, descParked, descLast, descLog, descReadOnly, descReady,
		descDue, descDead, descLeading, descBlobs, descBytes, descFree} {
		out <- d
	}
}

func (g *gauges) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	n := g.node
	gauge(descReadOnly, truth(n.log.ReadOnly() != nil))
	if state, err := n.log.State(ctx); err == nil {
		gauge(descLast, float64(state.LastSeq))
		gauge(descLog, float64(state.Bytes))
		for _, m := range n.models.Models() {
			position := m.Position()
			gauge(descPosition, float64(position), m.Projection.Name)
			gauge(descLag, float64(state.LastSeq-min(position, state.LastSeq)), m.Projection.Name)
			gauge(descParked, truth(m.HasParked()), m.Projection.Name)
		}
	}
	for _, m := range n.managers {
		if status, err := m.Status(ctx); err == nil {
			gauge(descDue, float64(status.Due), status.Name)
			gauge(descDead, float64(status.Dead), status.Name)
			gauge(descLeading, truth(status.Leading), status.Name)
		}
	}
	gauge(descReady, truth(!blocked(n.problems(ctx))))
	if left, known, err := n.space(); known && err == nil {
		gauge(descFree, float64(max(left, 0)))
	}
	if n.stores.Blobs == nil {
		return
	}
	usage := n.stores.Blobs.Usage()
	gauge(descBlobs, float64(usage.Blobs))
	gauge(descBytes, float64(usage.Bytes))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
