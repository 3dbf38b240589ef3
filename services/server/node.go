// Package server is the composition root: it opens the log, the stores and the
// read models, makes all services, and runs those that the node is configured for.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hubledger/projections"
	"hubledger/services/audit"
	"hubledger/services/auth"
	"hubledger/services/builder"
	"hubledger/services/deployer"
	"hubledger/services/hostagent"
	"hubledger/services/internal/access"
	"hubledger/services/internal/activity"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
	"hubledger/services/server/machinery"
	"hubledger/services/server/memory"
	"hubledger/services/server/meter"
	"hubledger/services/server/readmodel"
	"hubledger/streams"
	"hubledger/streams/buildlog"
	"hubledger/streams/hookbodies"
	"hubledger/streams/secrets"
)

// A Node is one process of a hub: the services that it runs, and the log, stores
// and read models that they use. Services are started in the order of their list
// and stopped in the reverse order.
type Node struct {
	Config
	log        *streams.Log
	operations *operations.Store
	activity   *activity.Store
	secrets    *secrets.Bucket   // nil while the log is read-only
	buildLog   *buildlog.Store   // nil while the log is read-only, and where builder is not run
	archive    *archive          // of the logs of builds; nil where builder is not run
	bodies     *hookbodies.Store // of webhooks; nil while the log is read-only, and where sources is not run
	stores     registry.Stores   // without blobs when no service of this node needs them
	models     *readmodel.Set
	rights     *access.Rights
	auth       *auth.Auth
	builder    *builder.Builder
	deployer   *deployer.Deployer
	hostagent  *hostagent.Hosts
	audit      *audit.Audit
	signs      bool               // it has begun to sign the log
	machines   machinery.Listener // of builders and hosts
	registry   *registry.Registry
	shared     shared
	services   []service.Service // that this node runs
	managers   []*process.Runner // of those services
	sentences  service.Sentences // of all services, also those that this node does not run
	router     *service.Router
	limits     *budget.Limits
	first      auth.First
	metrics    *meter.Metrics
	guard      *streams.Guard
	spaceTold  atomic.Int64    // when warnOfSpace has last warned, in Unix nanoseconds
	ending     context.Context // ends when the node is to stop
	stop       context.CancelFunc
	leaving    context.Context // ends when the node is told to stop, before its last requests are
	leave      context.CancelFunc
	running    sync.WaitGroup
}

// Open starts everything but the HTTP server and returns when every projection has
// caught up with the log.
func Open(ctx context.Context, c Config) (_ *Node, err error) {
	if err := CheckServices(c.Services); err != nil {
		return nil, err
	}
	if err := machinery.Check(c.NATSListen, c.MachineCert, c.MachineKey, c.runs("builder")); err != nil {
		return nil, err
	}
	if err := c.makeData(); err != nil {
		return nil, err
	}
	if err := os.Chmod(c.Data, 0o700); err != nil {
		c.Logger.Warn("other users of this machine may be able to read the data directory", "error", err)
	}
	n := &Node{Config: c, metrics: meter.New()}
	n.ending, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	n.leaving, n.leave = context.WithCancel(n.ending)
	defer func() {
		if err != nil {
			n.Close(context.WithoutCancel(ctx))
		}
	}()
	// The log comes first: it holds the lock on the data directory.
	if n.log, err = streams.Open(ctx, streams.Config{Dir: c.Data, URL: c.NATSURL, Replicas: c.NATSReplicas,
		MaxBytes: c.LogMaxBytes, Logger: c.Logger, Reserve: n.hasSpace, Ballast: n.ballast(), Progress: c.Progress}); err != nil {
		return nil, err
	}
	if err := n.openStores(ctx); err != nil {
		return nil, err
	}
	if err := n.makeServices(ctx); err != nil {
		return nil, err
	}
	return n, n.start(ctx)
}

// makeServices makes all services, chooses those that this node runs, and opens
// their read models.
func (n *Node) makeServices(ctx context.Context) error {
	n.makeAuth()
	if n.log.ReadOnly() == nil {
		n.auth.HashFirst(ctx) // while the process is small: it takes 64 MiB
	}
	all := n.allServices()
	n.sentences = service.SentencesOf(all)
	for _, s := range all {
		if n.runs(s.Name) {
			n.services = append(n.services, s)
		}
	}
	n.Budget.Logger = n.Logger
	n.limits = budget.New(n.Budget)
	if err := n.route(append([]service.Service{n.pages()}, n.services...), notFound); err != nil {
		return err
	}
	if err := n.makeManagers(ctx); err != nil {
		return err
	}
	if err := n.models.Open(ctx, readModelsOf(n.services), func(known []projections.Info) error { return n.checkLog(ctx, known) }); err != nil {
		return err
	}
	if len(n.models.Missing()) == 0 {
		return nil
	}
	return n.route([]service.Service{n.pages()}, func(w http.ResponseWriter, r *http.Request, _ int, _ string) {
		http.Error(w, n.readOnlyText(r), http.StatusServiceUnavailable)
	})
}

// route makes the node serve these services, within its bounds.
func (n *Node) route(services []service.Service, notServed service.NotServed) (err error) {
	if n.router, err = service.NewRouter(services, notServed); err == nil {
		n.router.Limits = n.limits
	}
	return err
}

// start starts the services. While the log is read-only, the node serves
// requests, but applies no events and runs no jobs.
func (n *Node) start(ctx context.Context) error {
	for _, s := range n.services {
		if s.Start == nil {
			continue
		}
		if err := s.Start(ctx); err != nil {
			return fmt.Errorf("start the service %s: %w", s.Name, err)
		}
	}
	if n.log.ReadOnly() == nil {
		if err := n.models.CatchUp(ctx); err != nil {
			return err
		}
	}
	n.background(func() { memory.Run(n.ending, n.Budget.Memory) })
	n.background(func() { n.rights.Run(n.ending) })
	if n.log.ReadOnly() == nil {
		err := n.log.WhileStarting(ctx, func() (err error) {
			n.first, err = n.auth.Initialize(ctx)
			return err
		})
		if err != nil {
			return n.explainInitialize(err)
		}
		n.startJobs(n.ending)
		n.signs = n.runs("audit")
		if err := n.listenForMachines(); err != nil {
			return err
		}
	}
	return n.awaitRights(ctx)
}

// Services are the names of the services that this node runs.
func (n *Node) Services() []string { return namesOf(n.services) }

// How long Close waits for what runs in the background, and then for the rest.
// With requestsWithin they stay below the 90 seconds that systemd and docker
// compose give.
const (
	runningWithin = 35 * time.Second
	closeWithin   = 25 * time.Second
)

// awaitRunning waits, bounded, for what runs in the background.
func (n *Node) awaitRunning() error {
	ended := make(chan struct{})
	go func() { n.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(runningWithin):
		return fmt.Errorf("work in the background goes on %v after it was told to end: stopping without it", runningWithin)
	}
}

// Close stops everything in the reverse order of its start: projections commit
// what they have applied, then the log is closed. It bounds the time it takes
// itself.
func (n *Node) Close(ctx context.Context) error {
	n.stop()
	errs := []error{n.await("work in the background", n.awaitRunning)}
	// What is left to do gets a time limit of its own, whatever the waiting took.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	for _, s := range slices.Backward(n.services) {
		if s.Stop != nil {
			errs = append(errs, n.await("the service "+s.Name, func() error { return s.Stop(ctx) }))
		}
	}
	if n.auth != nil {
		errs = append(errs, n.auth.Close(ctx))
	}
	n.signLast(ctx)
	if n.models != nil {
		errs = append(errs, n.await("the projections", func() error { return n.models.Close(ctx) }))
	}
	if n.activity != nil {
		errs = append(errs, n.activity.Close())
	}
	errs = append(errs, n.stores.Close())
	if n.archive != nil {
		errs = append(errs, n.archive.store.Close())
	}
	if n.operations != nil {
		errs = append(errs, n.operations.Close())
	}
	if n.log != nil { // else the directory may be another process's
		errs = append(errs, readmodel.RemoveUnbuilt(n.Data))
		errs = append(errs, n.await("the log", func() error { return n.log.Close(ctx) }))
	}
	return errors.Join(errs...)
}

// await ends something, and logs what the node waits for when it takes its time.
func (n *Node) await(what string, end func() error) error {
	slow := time.AfterFunc(time.Second, func() { n.Logger.Info("stopping: waiting for " + what) })
	defer slow.Stop()
	return end()
}

// background runs a function that Close waits for.
func (n *Node) background(run func()) { n.running.Go(run) }
