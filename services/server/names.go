package server

import (
	"context"
	"errors"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/projections/journal"
	"hubledger/projections/trail"
	"hubledger/services/internal/eventlog"
	"hubledger/services/internal/service"
	"hubledger/services/server/readmodel"
)

// names looks up the names in the sentences about events, in the read models: as they
// are, or were before something was deleted. If no name is known for an id, the sentence
// shows the id. It remembers them, and is for one page.
type names struct {
	ctx      context.Context
	accounts accounts.Reader
	images   *images.Reader // nil where the node does not keep that read model
	builds   *builds.Reader // nil where the node does not keep that read model
	known    map[string]string
}

func (n *Node) names(ctx context.Context) names {
	found := names{ctx: ctx, accounts: accounts.Reader{DB: n.models.Named(accounts.Projection.Name)}, known: map[string]string{}}
	if n.models.Named(images.Projection.Name) != nil {
		found.images = &n.registry.Images
	}
	if m := n.models.Named(builds.Projection.Name); m != nil {
		found.builds = &builds.Reader{DB: m}
	}
	return found
}

// sentence describes an event to people.
func (n *Node) sentence(ctx context.Context, e *events.Event) service.Text {
	return n.sentences.Say(n.names(ctx), e)
}

// sentenceTeller describes the events of a page.
func (n *Node) sentenceTeller(ctx context.Context) func(e *events.Event) service.Text {
	found := n.names(ctx)
	return func(e *events.Event) service.Text { return n.sentences.Say(found, e) }
}

// name is what the first of the look-ups finds that finds one, or the id.
func (n names) name(id string, lookUps ...func(ctx context.Context, id string) (string, error)) string {
	if name, ok := n.known[id]; ok {
		return name
	}
	found := id
	for _, lookUp := range lookUps {
		if name, err := lookUp(n.ctx, id); err == nil && name != "" {
			found = name
			break
		}
	}
	n.known[id] = found
	return found
}

func (n names) Repository(id string) string {
	if n.images == nil {
		return id
	}
	return n.name(id, n.images.RepositoryName)
}

func (n names) Account(id string) string {
	return n.name(id, func(ctx context.Context, id string) (string, error) {
		ns, err := n.accounts.NamespaceByID(ctx, id)
		if err != nil {
			return "", err
		}
		return ns.Name, nil
	}, n.accounts.RobotName)
}

func (n names) Team(_, team string) string { return n.name(team, n.accounts.TeamName) }

func (n names) Source(id string) string {
	if n.builds == nil {
		return id
	}
	return n.name(id, n.builds.SourceName)
}

func (n names) Token(id string) (name, owner string) {
	t, err := n.accounts.Token(n.ctx, id)
	if err != nil {
		return "", ""
	}
	return t.Name, t.Owner
}

// caughtUpWithin bounds how long a page of events waits for the latest ones.
const caughtUpWithin = time.Second

// EventLog reads the log as people do: see package eventlog.
func (n *Node) EventLog() *eventlog.Reader {
	found, kept := n.models.Of(&trail.Projection), n.models.Of(&journal.Projection)
	return eventlog.New(eventlog.Config{Trail: readmodel.Unprepared{Model: found}, Journal: readmodel.Unprepared{Model: kept}, Position: found.Position,
		Accounts: n.shared.people, Rights: n.rights, Teller: n.sentenceTeller, NamespaceOfBuild: n.namespaceOfBuild, EventOfDeployment: n.eventOfDeployment, EventsOfDeployment: n.eventsOfDeployment,
		Files: func() func(context.Context, uint64, uint64, func(*events.Event) error) error {
			if n.NATSURL != "" || n.log.ReadOnly() != nil {
				return nil
			}
			return n.log.Scan
		},
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

func (n *Node) eventOfDeployment(ctx context.Context, what string) (string, error) {
	if n.deployer == nil {
		return "", nil
	}
	return n.deployer.EventOf(ctx, what)
}

func (n *Node) eventsOfDeployment(ctx context.Context, id string) (seqs []uint64, err error) {
	list, err := deploys.Reader{DB: n.models.Of(&deploys.Projection)}.Deployment(ctx, id)
	if errors.Is(err, deploys.ErrNotFound) {
		return nil, nil
	}
	for _, h := range list {
		seqs = append(seqs, h.Seq)
	}
	return seqs, err
}

func (n *Node) namespaceOfBuild(ctx context.Context, build string) (string, error) {
	b, err := builds.Reader{DB: n.models.Of(&builds.Projection)}.Build(ctx, build)
	if errors.Is(err, builds.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return b.Namespace, nil
}
