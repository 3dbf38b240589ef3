// Package service defines what a service of the program is: a plain value that
// its package makes and the server reads. From the list of services the
// server derives the router, what a write waits for, the order of start and
// stop, the metrics, and the sentences of the log.
package service

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hubledger/projections"
	"hubledger/services/internal/process"
)

// A Service is one part of the program. All fields but Name may be empty.
type Service struct {
	// Name is what serve --services calls it: one lower-case word.
	Name string
	// Routes are its endpoints.
	Routes []Route
	// NotServed answers a request under the service's paths that no route
	// serves. Nil answers in plain text.
	NotServed NotServed
	// ReadModels are what it answers from. A node opens those of the services
	// that it runs; a write waits for all of them.
	ReadModels []*projections.Projection
	// Jobs run at intervals while the log can be written.
	Jobs []Job
	// Managers are its process managers. Of the nodes that run the service one
	// leads each of them.
	Managers []process.Manager
	// Metrics are shown at /metrics.
	Metrics []prometheus.Collector
	// Sentences describe its events to people. Every event type has one sentence, by
	// the service that owns the type, also on nodes that do not run the service.
	Sentences []Sentence
	// Start is called once before the read models run, in the order of the list.
	// The log may turn out to be read-only afterwards: Start appends nothing.
	Start func(ctx context.Context) error
	// Run works in the background until ctx ends, while the log can be written.
	Run func(ctx context.Context)
	// Stop is called once when Run and all jobs have ended, in the reverse order
	// of the list, also when Start failed or was not called.
	Stop func(ctx context.Context) error
}

// A Job is a short piece of work that is repeated at an interval.
type Job struct {
	// Name says what the job does, in the infinitive: the log says "could not <Name>".
	Name string
	// Every is the time between two runs. 0 turns the job off.
	Every time.Duration
	// Run does it once. It ends early when ctx does.
	Run func(ctx context.Context) error
}
