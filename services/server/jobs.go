package server

import (
	"context"
	"time"

	"hubledger/projections/journal"
	"hubledger/projections/lead"
	"hubledger/services/internal/process"
	"hubledger/services/internal/service"
	"hubledger/streams/messages"
)

// awaitRights returns when the node knows everybody's rights. Until then it
// would answer every request with credentials by 503.
func (n *Node) awaitRights(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n.rights.Fresh(ctx) != nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// startJobs starts the background work of the node and its services.
func (n *Node) startJobs(ctx context.Context) {
	n.background(func() { n.guard.Run(ctx) })
	n.background(func() { n.seeLog(ctx) })
	n.background(func() { n.auth.Run(ctx) }) // whatever services run here: they authenticate requests
	n.background(func() {
		n.activity.Run(ctx, func(err error) { n.Logger.Error("keep the activity of accounts", "error", err) })
	})
	n.startManagers(ctx)
	for _, s := range n.services {
		if s.Run != nil {
			n.background(func() { s.Run(ctx) })
		}
		for _, job := range s.Jobs {
			if job.Every > 0 {
				n.background(func() { n.repeat(ctx, job) })
			}
		}
	}
}

// seeLog notes every second in the operational store how far the journal has come,
// so that somebody knows what the log was when all projections are lost with it.
func (n *Node) seeLog(ctx context.Context) {
	m, noted := n.models.Named(journal.Projection.Name), uint64(0)
	for tick := time.NewTicker(time.Second); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			tick.Stop()
		case <-tick.C:
		}
		seq := m.Position()
		if seq == noted {
			continue
		}
		if err := n.operations.SeeLog(context.WithoutCancel(ctx), n.log.Generation(), seq); err != nil {
			n.Logger.Warn("could not note the end of the log in the operational store", "error", err)
			continue
		}
		noted = seq
	}
}

// repeat runs a job at its interval until ctx ends, and logs its failures.
func (n *Node) repeat(ctx context.Context, job service.Job) {
	tick := time.NewTicker(job.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := job.Run(ctx); err != nil && ctx.Err() == nil {
			n.Logger.Error("could not "+job.Name, "error", err)
		}
	}
}

// makeManagers makes the process managers of the services that run here.
func (n *Node) makeManagers(ctx context.Context) error {
	c := process.Config{Store: n.operations, Log: n.meteredLog(), Lead: lead.New(n.PostgresURL, n.Logger), Logger: n.Logger,
		Subscribe: messages.Source{Log: n.log, Logger: n.Logger}.Subscriber}
	for _, s := range n.services {
		for _, m := range s.Managers {
			r, err := process.New(ctx, c, m)
			if err != nil {
				return err
			}
			n.managers = append(n.managers, r)
		}
	}
	return nil
}

// startManagers runs the process managers until ctx ends.
func (n *Node) startManagers(ctx context.Context) {
	for _, m := range n.managers {
		n.background(func() {
			if err := m.Run(ctx); err != nil {
				n.Logger.Error("a process manager did not end", "error", err)
			}
		})
	}
}
