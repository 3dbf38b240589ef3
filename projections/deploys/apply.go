package deploys

import (
	"encoding/json"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/projections"
)

var (
	num  = projections.IntValue
	raw  = projections.BytesValue
	text = projections.TextValue
)

func apply(e *events.Event, ops *projections.Ops) error {
	p, err := events.Decode(e)
	if err != nil {
		return err
	}
	a := &applier{ops: ops, seq: num(int64(e.Seq)), time: num(e.Time().UnixMicro()), actor: text(e.Actor())}
	switch p := p.(type) {
	case events.ApplicationCreated:
		a.application(p.Namespace, p.Application, p.Name, p.Settings, true)
	case events.ApplicationChanged:
		a.application(p.Namespace, p.Application, p.Name, p.Settings, true)
	case events.ApplicationDeleted:
		a.application(p.Namespace, p.Application, p.Name, events.ApplicationSettings{}, false)
	case events.EnvironmentCreated:
		ops.Write(environments, a.id(p.Environment), a.id(p.Application), text(p.Called), num(1), a.time, a.actor, a.seq)
		a.happened(e, p.Environment, "")
	case events.EnvironmentDeleted:
		ops.Write(environments, a.id(p.Environment), a.id(p.Application), text(p.Called), num(0), a.time, a.actor, a.seq)
		a.happened(e, p.Environment, "")
	case events.ConfigurationSet:
		ops.Write(configurations, a.id(p.Environment), num(int64(p.Version)), a.json(p.Changed), a.json(p.Values), a.json(p.Secrets), a.time, a.actor, a.seq)
	case events.ReleaseMade:
		ops.Write(releases, a.id(p.Application), num(int64(p.Number)), text(p.Digest), a.json(p.Images), a.json(p.Configurations), text(p.Note), a.time, a.actor, a.seq)
		for _, i := range p.Images {
			if i.Repository != "" {
				ops.Write(uses, a.id(i.Repository), a.id(p.Application))
			}
		}
	case events.PlacementSet:
		ops.Write(placements, a.id(p.Environment), a.json(p.Placement), a.time, a.actor, a.seq)
	case events.DeployPolicySet:
		ops.Write(policies, a.id(p.Environment), a.json(p.Policy), a.time, a.actor, a.seq)
	case events.GateHookSet:
		ops.Write(hooks, a.id(p.Environment), text(p.Gate), raw(p.Hash), text(p.Record), num(1), a.time, a.actor, a.seq)
	case events.GateHookRemoved:
		ops.Write(hooks, a.id(p.Environment), text(p.Gate), raw([]byte{}), text(""), num(0), a.time, a.actor, a.seq)
	case events.DeploymentRequested:
		ops.Write(deployments, a.id(p.Deployment), a.id(p.Environment), a.id(p.Application), num(int64(p.Release)), a.seq)
		for _, hosts := range [][]events.PlacedHost{p.Placement.Web, p.Placement.Worker, p.Placement.Stateful} {
			for _, h := range hosts {
				ops.Write(placed, a.id(h.Machine), a.id(p.Environment), text(h.Name))
			}
		}
		a.happened(e, p.Environment, p.Deployment)
	case interface{ About() events.DeploymentOf }:
		a.happened(e, p.About().Environment, p.About().Deployment)
	default:
		return fmt.Errorf("event %d: %s is listed but not handled", e.Seq, e.Type())
	}
	return errors.Join(a.errs...)
}

// An applier writes the rows of one event and collects its errors.
type applier struct {
	ops              *projections.Ops
	seq, time, actor projections.Value
	errs             []error
}

func (a *applier) id(s string) projections.Value {
	id, err := projections.IDBytes(s)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return raw(id)
}

// happened records an event of the subject of an environment.
func (a *applier) happened(e *events.Event, environment, deployment string) {
	of := raw(nil)
	if deployment != "" {
		of = a.id(deployment)
	}
	a.ops.Write(history, a.id(environment), a.seq, of, text(e.Type()), text(string(e.Data)), a.time, a.actor, text(e.ID()), text(e.Correlation()))
	a.ops.Write(latest, a.id(environment), a.seq)
}

func (a *applier) json(v any) projections.Value {
	encoded, err := json.Marshal(v)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return text(string(encoded))
}

func (a *applier) application(namespace, id, name string, s events.ApplicationSettings, lives bool) {
	live := num(0)
	if lives {
		live = num(1)
	}
	a.ops.Write(applications, a.id(id), a.id(namespace), text(name), live, text(s.Digest), num(int64(s.Keep)), a.time, a.actor, a.seq)
	if s.Compose != "" {
		a.ops.Write(composes, a.id(id), text(s.Digest), text(s.Compose))
	}
}
