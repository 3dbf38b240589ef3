package cmd

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hubledger/events"
	"hubledger/services/registry"
	"hubledger/streams"
)

// metrics is what /metrics shows. Names follow Prometheus's rules: a unit at
// the end, _total for what only grows.
type metrics struct {
	set       *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	appends   prometheus.Counter
	conflicts prometheus.Counter
	registry  registry.Metrics
	known     sync.Map // counters by method and status, so that a request looks up no labels
	once      sync.Once
	handler   http.Handler
}

func newMetrics() *metrics {
	m := &metrics{set: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hubledger_http_requests_total", Help: "Requests answered."}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "hubledger_http_request_duration_seconds",
			Help: "Time from a request's head to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10)}, []string{"method"}),
	}
	m.set.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.appends = m.counter("hubledger_log_appends_total", "Events appended by this node.")
	m.conflicts = m.counter("hubledger_log_conflicts_total", "Appends refused because the aggregate had moved on.")
	m.registry = registry.Metrics{
		Pushes:  m.counter("hubledger_manifests_pushed_total", "Manifests accepted."),
		Uploads: m.counter("hubledger_blobs_uploaded_total", "Blobs accepted by upload."),
		Mounts:  m.counter("hubledger_blobs_mounted_total", "Blobs mounted from another repository."),
		Swept:   m.counter("hubledger_gc_blobs_swept_total", "Blobs taken by garbage collection."),
		Freed:   m.counter("hubledger_gc_freed_bytes_total", "Bytes freed by garbage collection."),
	}
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

// serve counts a request that a service answers.
func (m *metrics) serve(h http.Handler, w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	h.ServeHTTP(rec, r)
	rec.end()
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
}

// A recorder notes the status, and ends an answer that nobody reads. Unwrap and
// ReadFrom keep the connection's own ways open: deadlines, and files sent
// without copying.
type recorder struct {
	http.ResponseWriter
	status   int
	deadline bool
}

const (
	// stalled is how long the client may take for one piece of an answer.
	stalled = 5 * time.Minute
	// piece is how much of an answer is sent under one deadline, in bytes.
	piece = 4 << 20
	// buffered is what a connection takes without anybody reading, about.
	buffered = 32 << 10
)

func (r *recorder) extend() {
	r.deadline = true
	http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(stalled)) // unsupported only where there is no connection
}

// end takes the deadline off the connection, which goes on to the next request.
func (r *recorder) end() {
	if r.deadline {
		http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Time{})
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	if len(p) > buffered {
		r.extend()
	}
	return r.ResponseWriter.Write(p)
}

func (r *recorder) WriteHeader(status int) {
	if status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// expose writes the metrics; gauges are read from the hub when asked.
func (m *metrics) expose(h *hub, w http.ResponseWriter, r *http.Request) {
	m.once.Do(func() {
		m.set.MustRegister(&gauges{hub: h})
		m.handler = promhttp.HandlerFor(m.set, promhttp.HandlerOpts{})
	})
	m.handler.ServeHTTP(w, r)
}

// ReadFrom lets io.Copy hand a file to the connection, piece by piece: what is
// read through a LimitedReader is sent by the kernel.
func (r *recorder) ReadFrom(src io.Reader) (sent int64, err error) {
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	for whole.N > 0 {
		r.extend()
		part := &io.LimitedReader{R: whole.R, N: min(whole.N, piece)}
		n, err := io.Copy(r.ResponseWriter, part)
		sent += n
		whole.N -= n
		if err != nil || part.N > 0 {
			return sent, err
		}
	}
	return sent, nil
}

// A countedLog counts what is appended.
type countedLog struct {
	*streams.Log
	metrics *metrics
}

func (l countedLog) Append(ctx context.Context, e events.Event, expect uint64) (uint64, error) {
	seq, err := l.Log.Append(ctx, e, expect)
	switch {
	case err == nil:
		l.metrics.appends.Inc()
	case errors.Is(err, events.ErrConflict):
		l.metrics.conflicts.Inc()
	}
	return seq, err
}
