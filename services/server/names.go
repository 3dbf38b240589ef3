package server

import (
	"context"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/service"
	"hubledger/services/server/readmodel"
)

// names looks up the names in the sentences about events, in the read models.
// If no name is known for an id, the sentence shows the id.
type names struct {
	ctx      context.Context
	accounts accounts.Reader
	images   *images.Reader // nil where the node does not keep that read model
}

func (n *Node) names(ctx context.Context) names {
	found := names{ctx: ctx, accounts: accounts.Reader{DB: n.models.Named(accounts.Projection.Name)}}
	if n.models.Named(images.Projection.Name) != nil {
		found.images = &n.registry.Images
	}
	return found
}

// sentence describes an event to people.
func (n *Node) sentence(ctx context.Context, e *events.Event) service.Text {
	return n.sentences.Say(n.names(ctx), e)
}

func (n names) Repository(id string) string {
	if n.images == nil {
		return id
	}
	if name, err := n.images.RepositoryName(n.ctx, id); err == nil {
		return name
	}
	return id
}

func (n names) Account(id string) string {
	if a, err := n.accounts.AccountByID(n.ctx, id); err == nil {
		return a.Name
	}
	if ns, err := n.accounts.NamespaceByID(n.ctx, id); err == nil {
		return ns.Name
	}
	return id
}

func (n names) Group(organization, group string) string {
	if group == organization {
		return n.Account(organization)
	}
	teams, err := n.accounts.Teams(n.ctx, organization)
	for _, t := range teams {
		if err == nil && t.ID == group {
			return "the team " + t.Name + " of " + n.Account(organization)
		}
	}
	return group
}

// caughtUpWithin bounds how long a page of events waits for the latest ones.
const caughtUpWithin = time.Second

// EventLog reads the log as people do: see package eventlog.
func (n *Node) EventLog() *eventlog.Reader {
	found, kept := n.models.Of(&trail.Projection), n.models.Of(&journal.Projection)
	return eventlog.New(eventlog.Config{Trail: readmodel.Unprepared{Model: found}, Journal: readmodel.Unprepared{Model: kept}, Position: found.Position,
		Accounts: n.shared.people, Rights: n.rights, Say: n.sentence,
		CatchUp: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, caughtUpWithin)
			defer cancel()
			last, err := n.log.LastSeq(ctx)
			if err != nil || n.log.ReadOnly() != nil {
				return // what there is, is shown
			}
			for _, m := range []*readmodel.Model{found, kept} {
				if m.Wait(ctx, last) != nil {
					return // late, or the event is parked
				}
			}
		}})
}
