package projections

import (
	"fmt"
	"slices"

	"hubledger/events"
)

// An Applier applies events to a model, in the order of the log, and knows
// which aggregates are parked. Several appliers may share one log when all
// events of an aggregate go to the same one.
type Applier struct {
	m       *Model
	parking parking
}

// NewApplier makes an Applier for which nothing is parked yet.
func NewApplier(m *Model) *Applier { return &Applier{m: m, parking: parking{}} }

// Apply adds the operations of one event to ops. When the event has to be
// parked it returns the record of that instead, and ops are as they were
// before; first says that the event is the first of its aggregate to be parked.
func (a *Applier) Apply(e *events.Event, ops *Ops) (parked *Parked, first bool) {
	if parked := a.parking.skip(e); parked != nil {
		return parked, false
	}
	if err := a.m.apply(e, ops); err != nil {
		p := park(e, err)
		a.parking.add(p)
		return &p, true
	}
	return nil, false
}

// apply adds the operations of one event to ops. An error means that the event
// has to be parked: ops are as they were before.
func (m *Model) apply(e *events.Event, ops *Ops) (err error) {
	if m.families != nil {
		handled, err := m.handles(e)
		if err != nil || !handled {
			return err
		}
	}
	list, values := len(ops.list), len(ops.values)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil {
			ops.list, ops.values = ops.list[:list], ops.values[:values]
		}
	}()
	if err := m.Apply(e, ops); err != nil {
		return err
	}
	for _, p := range ops.list[list:] {
		i, ok := m.byTable[p.table]
		if !ok {
			return fmt.Errorf("table %s is not one of projection %s", p.table.Name, m.Name)
		}
		if err := m.tables[i].check(ops.values[p.at:p.to], p.del); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) handles(e *events.Event) (bool, error) {
	if err := e.Check(); err != nil {
		return false, err
	}
	name := e.Type()
	family, _, err := events.SplitType(name)
	if err != nil {
		return false, err
	}
	known, ok := m.families[family]
	if _, redacted := e.Redacted(); redacted {
		return false, nil // what it said is not known any more: everything else stays
	}
	if ok && !slices.Contains(known, name) {
		return false, fmt.Errorf("projection %s version %d handles %v, not %s: a newer program wrote it", m.Name, m.Version, known, name)
	}
	return ok, nil
}
