// Package meter counts and times the requests and appends of a node, and charges the
// clients that they are for.
package meter

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the metrics at /metrics. Names follow Prometheus's rules: they end
// with their unit, and with _total for counters.
type Metrics struct {
	set       *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	appends   prometheus.Counter
	conflicts prometheus.Counter
	known     sync.Map // *observed by method and status, to save looking up labels at each request
	once      sync.Once
	handler   http.Handler
}

// New makes metrics of which nothing has been counted yet.
func New() *Metrics {
	m := &Metrics{set: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_http_requests_total", Help: "Requests answered."}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hubledger_http_request_duration_seconds",
			Help: "Time from a request's headers to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10)}, []string{"method"}),
	}
	m.set.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.appends = m.counter("hubledger_log_appends_total", "Events appended by this node.")
	m.conflicts = m.counter("hubledger_log_conflicts_total", "Appends refused because another event of the aggregate came first.")
	return m
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.set.MustRegister(c)
	return c
}

type observed struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// Serve lets h answer a request, and counts and times it. It returns the status
// of the answer.
func (m *Metrics) Serve(h http.Handler, w http.ResponseWriter, r *http.Request) (status int) {
	begun := time.Now()
	rec := &responseRecorder{ResponseWriter: w, status: http.StatusOK}
	h.ServeHTTP(rec, r)
	method := r.Method
	switch method {
	case "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE":
	default:
		method = "other"
	}
	type key struct {
		method string
		status int
	}
	k := key{method, rec.status}
	o, ok := m.known.Load(k)
	if !ok {
		o, _ = m.known.LoadOrStore(k, &observed{m.requests.WithLabelValues(method, strconv.Itoa(rec.status)), m.seconds.WithLabelValues(method)})
	}
	o.(*observed).requests.Inc()
	o.(*observed).seconds.Observe(time.Since(begun).Seconds())
	return rec.status
}

// Expose answers with the metrics, and with those that more names the first time.
func (m *Metrics) Expose(w http.ResponseWriter, r *http.Request, more func() []prometheus.Collector) {
	m.once.Do(func() {
		m.set.MustRegister(more()...)
		m.handler = promhttp.HandlerFor(m.set, promhttp.HandlerOpts{})
	})
	m.handler.ServeHTTP(w, r)
}
