package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/server/readmodel"
)

func (n *Node) adminProjections(ctx context.Context, _ *http.Request, a *adminResponse) error {
	list, err := asSystem{n}.Projections(ctx)
	for _, p := range list {
		if err := a.item(p); err != nil {
			return err
		}
	}
	return err
}

// Projections are the read models of this node.
func (n asSystem) Projections(ctx context.Context) (list []adminsocket.Projection, err error) {
	last, err := n.log.LastSeq(ctx)
	if err != nil && !errors.Is(err, events.ErrReadOnly) { // a read-only log does not grow
		return nil, err
	}
	for _, m := range n.models.Models() {
		parked, err := m.Parked(ctx)
		if err != nil {
			return list, err
		}
		position := m.Position()
		list = append(list, adminsocket.Projection{Name: m.Projection.Name, Version: m.Projection.Version,
			Position: position, Lag: last - min(position, last), Parked: parked})
	}
	return list, nil
}

// StoredBuilds are all builds of read models that are stored.
func (n asSystem) StoredBuilds(ctx context.Context) ([]projections.Info, error) {
	return readmodel.Storage(n.Data, n.PostgresURL).List(ctx)
}

func (n *Node) adminAnswers(ctx context.Context, r *http.Request, a *adminResponse) error {
	m, err := n.openModel(r.PathValue("name"))
	if err != nil {
		return err
	}
	return projections.ResultsOf(m.Store())(ctx,
		func(position uint64) error { return a.item(adminsocket.QueryResult{Position: &position}) },
		func(query, key, answer string) error {
			return a.itemBuffered(adminsocket.QueryResult{Query: query, Key: key, Answer: answer})
		})
}

func (n *Node) adminSwitch(ctx context.Context, r *http.Request, a *adminResponse) error {
	if err := (asSystem{n}).SwitchBuild(ctx, r.PathValue("name"), r.URL.Query().Get("back") != ""); err != nil {
		return err
	}
	m := n.models.Named(r.PathValue("name"))
	return a.item(adminsocket.Projection{Name: m.Projection.Name, Version: m.Projection.Version, Position: m.Position()})
}

// SwitchBuild makes another build of a read model live.
func (n asSystem) SwitchBuild(ctx context.Context, name string, back bool) error {
	m, err := n.openModel(name)
	if err != nil {
		return err
	}
	if err := n.log.ReadOnly(); err != nil {
		return err
	}
	// A switch that has begun is finished even if the client leaves.
	return m.Switch(context.WithoutCancel(ctx), back)
}

// compareTime bounds a comparison that a client of the API waits for.
const compareTime = time.Minute

// CompareBuild compares the build that was prepared with the live one.
func (n asSystem) CompareBuild(ctx context.Context, name string) (*projections.Comparison, error) {
	m, err := n.openModel(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	c, err := m.Compare(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("the builds were not compared within %s: compare them on the hub's machine by hubledger projections compare %s", compareTime, name)
	}
	return c, err
}

// openModel finds a read model that is open on this node.
func (n *Node) openModel(name string) (*readmodel.Model, error) {
	if _, err := ReadModel(name); err != nil {
		return nil, err
	}
	if m := n.models.Named(name); m != nil {
		return m, nil
	}
	return nil, fmt.Errorf("this node does not keep the projection %s: none of its services needs it", name)
}
