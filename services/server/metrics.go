package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hubledger/events"
	"hubledger/services/internal/budget"
	"hubledger/streams"
)

// metrics are the metrics at /metrics. Names follow Prometheus's rules: they end
// with their unit, and with _total for counters.
type metrics struct {
	set       *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	appends   prometheus.Counter
	conflicts prometheus.Counter
	known     sync.Map // *observed by method and status, to save looking up labels at each request
	once      sync.Once
	handler   http.Handler
}

func newMetrics() *metrics {
	m := &metrics{set: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_http_requests_total", Help: "Requests answered."}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hubledger_http_request_duration_seconds",
			Help: "Time from a request's headers to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10)}, []string{"method"}),
	}
	m.set.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.appends = m.counter("hubledger_log_appends_total", "Events appended by this node.")
	m.conflicts = m.counter("hubledger_log_conflicts_total", "Appends refused because another event of the aggregate came first.")
	return m
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.set.MustRegister(c)
	return c
}

type observed struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// serve lets h answer a request, and counts and times it. It returns the status
// of the answer.
func (m *metrics) serve(h http.Handler, w http.ResponseWriter, r *http.Request) (status int) {
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

// expose answers with the metrics.
func (m *metrics) expose(n *Node, w http.ResponseWriter, r *http.Request) {
	m.once.Do(func() {
		m.set.MustRegister(&gauges{n}, n.limits)
		for _, s := range n.services {
			m.set.MustRegister(s.Metrics...)
		}
		m.handler = promhttp.HandlerFor(m.set, promhttp.HandlerOpts{})
	})
	m.handler.ServeHTTP(w, r)
}

// A meteredLog counts appends and conflicts in the metrics, and charges the account
// whose request makes an event with its bytes.
type meteredLog struct {
	*streams.Log
	metrics *metrics
}

// maxRelief is the size in bytes up to which what takes rights away or frees space is
// never refused for what its account has written. Only long policies are larger.
const maxRelief = 1 << 10

func (l meteredLog) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	must := len(e.Data) <= maxRelief && events.Relieves(&e)
	if err := budget.LogBytes(ctx, len(e.Subject)+len(e.Data), must); err != nil {
		return 0, err
	}
	seq, err := l.Log.Append(ctx, e, expect)
	switch {
	case err == nil:
		l.metrics.appends.Inc()
	case errors.Is(err, events.ErrConflict):
		l.metrics.conflicts.Inc()
	}
	return seq, err
}
