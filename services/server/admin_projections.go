package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/server/readmodel"
)

func (n *Node) adminProjections(ctx context.Context, _ *http.Request, a *adminResponse) error {
	last, err := n.log.LastSeq(ctx)
	if err != nil && !errors.Is(err, events.ErrReadOnly) { // a read-only log does not grow
		return err
	}
	for _, m := range n.models.Models() {
		parked, err := m.Parked(ctx)
		if err != nil {
			return err
		}
		position := m.Position()
		if err := a.item(adminsocket.Projection{Name: m.Projection.Name, Version: m.Projection.Version,
			Position: position, Lag: last - min(position, last), Parked: parked}); err != nil {
			return err
		}
	}
	return nil
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
	m, err := n.openModel(r.PathValue("name"))
	if err != nil {
		return err
	}
	if err := n.log.ReadOnly(); err != nil {
		return err
	}
	// A switch that has begun is finished even if the client leaves.
	if err := m.Switch(context.WithoutCancel(ctx), r.URL.Query().Get("back") != ""); err != nil {
		return err
	}
	return a.item(adminsocket.Projection{Name: m.Projection.Name, Version: m.Projection.Version, Position: m.Position()})
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
