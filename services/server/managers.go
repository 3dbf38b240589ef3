package server

import (
	"context"

	"hubledger/projections/lead"
	"hubledger/services/internal/process"
	"hubledger/streams/messages"
)

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
